/**
 * What the compiler knows of a handler. The test is that this file compiles: a line under `@ts-expect-error` that became
 * right would not, nor would an `exactly` of another type. Nothing in it is run.
 */
import {
  defineHandler,
  effect,
  type EffectType,
  type HandlerMessage,
  type MessageOf,
  type MessageUnion,
  type ProjectionsOf,
  type Schema,
} from "./sdk.ts";

type Exactly<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const exactly = <A, B>(_same: Exactly<A, B>): void => {};

/** As zod's `z.object({ ward: z.string(), beds: z.number().default(1) })` would be. */
declare const admit: Schema<{ ward: string; beds?: number }, { ward: string; beds: number }>;
declare const discharge: Schema<null, null>;
declare const place: Schema<{ ward: string | null }, { ward: string | null }>;

const base = { name: "census", kind: "patient" };

function messagesAreAUnionThatTypeTellsApart() {
  defineHandler({
    ...base,
    initial: { ward: null },
    projections: place,
    messages: { admit, discharge },
    handle(_key, kept, message) {
      exactly<typeof kept, { ward: string | null }>(true);
      exactly<typeof message.type, "admit" | "discharge">(true);
      if (message.type === "admit") {
        exactly<typeof message.body, { ward: string; beds: number }>(true);
        // @ts-expect-error the schema has no such field
        message.body.room;
        return ["ok", { ward: message.body.ward }, []];
      }
      exactly<typeof message.body, null>(true);
      // @ts-expect-error no message of that type comes
      if (message.type === "transfer") return ["ok", kept, []];
      // @ts-expect-error and none is left
      message satisfies HandlerMessage<"admit">;
      return ["ok", { ward: null }, []];
    },
  });
}

function oneSchemaIsForTheBodyOfEveryMessage() {
  defineHandler({
    ...base,
    initial: 0,
    messages: admit,
    handle(_key, kept, message) {
      exactly<typeof message.type, string>(true);
      exactly<typeof message.body, { ward: string; beds: number }>(true);
      return ["ok", kept + message.body.beds, []];
    },
  });
}

function whatIsKeptIsWhatWasDeclared() {
  defineHandler({
    ...base,
    initial: { ward: "" },
    // @ts-expect-error a number is no ward
    handle: () => ["ok", { ward: 5 }, []],
  });
  // @ts-expect-error the first projections are not what the schema says
  defineHandler({ ...base, initial: { ward: 5 }, projections: place, handle: (_key, kept) => ["ok", kept, []] });
  // @ts-expect-error not "ok"
  defineHandler({ ...base, initial: 0, handle: (_key, kept) => ["fine", kept, []] });
}

function onlyDeclaredEffectsMayBeAskedFor() {
  defineHandler({ ...base, initial: 0, effects: ["alert"], handle: () => ["ok", 0, [effect.alert("a/b", "")]] });
  // @ts-expect-error retire is not declared
  defineHandler({ ...base, initial: 0, effects: ["alert"], handle: () => ["ok", 0, [effect.retire()]] });
  // @ts-expect-error there is no such effect
  defineHandler({ ...base, initial: 0, effects: ["fetch"], handle: () => ["ok", 0, []] });
  // @ts-expect-error no effect at all
  defineHandler({ ...base, initial: 0, handle: () => ["ok", 0, [{ type: "fetch" }]] });
  "deliver" satisfies EffectType;
}

function declarationsAreChecked() {
  const handle = () => ["ok", 0, []] as const;
  // @ts-expect-error no Standard Schema
  defineHandler({ ...base, initial: 0, messages: { admit: { parse: () => 1 } }, handle });
  // @ts-expect-error there is no such answer to an invalid message
  defineHandler({ ...base, initial: 0, messages: { admit }, whenInvalid: "drop", handle });
  // @ts-expect-error heap is shared, and the node's to say
  defineHandler({ ...base, initial: 0, limits: { heapMiB: 64 }, handle });
}

function withoutSchemasTypesAreTheAuthors() {
  defineHandler({
    ...base,
    initial: { ward: null as string | null },
    handle(_key, kept, message: MessageUnion<{ admit: { ward: string }; discharge: unknown }>) {
      if (message.type === "admit") exactly<typeof message.body, { ward: string }>(true);
      return ["ok", kept, []];
    },
  });
  defineHandler<{ n: number }>({
    ...base,
    initial: { n: 0 },
    handle: (_key, kept, { body }) => ["ok", { n: body.n + kept.n }, []],
  });
}

function othersKnowWhatToSendAndWhatIsKept() {
  const census = defineHandler({
    ...base,
    initial: { ward: null },
    projections: place,
    messages: { admit, discharge },
    handle: (_key, kept) => ["ok", kept, []],
  });
  exactly<ProjectionsOf<typeof census>, { ward: string | null }>(true);
  const key = { facility: "HOSPX", id: "1" };
  effect.send(key, { type: "admit", body: { ward: "5W" } } satisfies MessageOf<typeof census>);
  // @ts-expect-error a misspelt type
  effect.send(key, { type: "admitt", body: { ward: "5W" } } satisfies MessageOf<typeof census>);
  // @ts-expect-error a body that the schema would refuse
  effect.send(key, { type: "admit", body: { ward: 5 } } satisfies MessageOf<typeof census>);
}

Deno.test("the types of handlers are what they say: this file compiles", () => {
  const compiled = [
    messagesAreAUnionThatTypeTellsApart,
    oneSchemaIsForTheBodyOfEveryMessage,
    whatIsKeptIsWhatWasDeclared,
    onlyDeclaredEffectsMayBeAskedFor,
    declarationsAreChecked,
    withoutSchemasTypesAreTheAuthors,
    othersKnowWhatToSendAndWhatIsKept,
  ];
  if (compiled.length !== 7) throw new Error("unreachable");
});
