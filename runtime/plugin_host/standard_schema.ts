/**
 * Standard Schema 1 (https://standardschema.dev), as far as it is needed: the interface that zod, valibot, arktype and
 * others share, so that a handler takes the schemas of any of them, and Waterpark depends on none. Types only, written
 * down here instead of imported, since what a plugin's author touches imports no package.
 *
 * @module
 */

/** A schema: what a value must be, and what it is taken for. */
export interface Schema<Input = unknown, Output = Input> {
  /** as the specification has it */
  readonly "~standard": {
    /** of the specification */
    readonly version: 1;
    /** which library it is from */
    readonly vendor: string;
    /** Looks at a value. A promise is allowed by the specification, and refused by handlers. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** never there at run time: where the types are read from */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value: what it is taken for, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong. */
export interface SchemaIssue {
  /** in the library's words, which may quote the value */
  readonly message: string;
  /** where */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema takes. */
export type SchemaInput<S extends Schema> = NonNullable<S["~standard"]["types"]>["input"];

/** What a schema answers. */
export type SchemaOutput<S extends Schema> = NonNullable<S["~standard"]["types"]>["output"];

/** Schemas by the type of message. */
export interface SchemasByType {
  /** the schema of messages of that type */
  readonly [type: string]: Schema;
}

/** What a handler declares of its messages: a schema for each type of message, or one for the body of them all. */
export type MessageSchemas = Schema | SchemasByType;
