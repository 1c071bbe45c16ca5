import type { Explanation } from "../explain.ts";

/** What goes wrong with plugins and their hosts. */
export const PLUGINS: Record<string, Explanation> = {
  "node/diff-not-accepted": {
    happened: "The version would have had other effects than the live one had, for the same messages.",
    now: "Nothing was promoted; it goes on folding along.",
    next: "waterpark plugin diff NAME shows which; if they are as they should be, promote with --accept-diff.",
  },
  "node/other-actors": {
    happened: "A version for another kind of actors was to be a canary; it cannot share the live version's actors.",
    now: "Nothing was changed.",
    next: "Deploy it under a name of its own, which may have a canary, or straight to live in the old one's place.",
  },
  "topology/too-soon": {
    happened: "The version was to decide everywhere before it has decided for a part for long enough.",
    now: "Nothing was changed; no fault of it can be in all data centers at once.",
    next: "Make it a canary (--stage canary, --rings) and wait; waterpark plugin pace MINUTES sets the time, 0 none.",
  },
  "plugin_host/not-deterministic": {
    happened: "The handler decided one thing and then another, about the same messages of the same actor.",
    now: "The messages stay recorded; the plugin stands still for that actor.",
    next: "Keep nothing outside the projections; waterpark plugin test FILE finds the place. A mended version goes on.",
  },
  "node/superseded": {
    happened:
      "A version was to go live once it had folded all histories; meanwhile it was taken back or a newer one came.",
    now: "It is not live; the other version decides.",
    next: "waterpark plugin inspect NAME shows who did what; deploy it again if it is still wanted.",
  },
  "topology/is-live": {
    happened: "The version that is to be a canary is the live one.",
    now: "Nothing was changed.",
    next: "Name another version: waterpark plugin inspect NAME lists them.",
  },
  "plugin_host/needs-history": {
    happened: "A handler threw an error of its own that bears this code; the host itself uses it inside only.",
    now: "The message stays recorded; the plugin stands still for that actor.",
    next: "Give the handler's errors no code of Waterpark's; a mended version goes on by itself.",
  },
  "plugin_host/bad-kind": {
    happened: "The plugin is of a kind that this version does not run.",
    now: "Nothing was deployed.",
    next: "Export what defineHandler, defineFunction, defineSink or defineSource gives, and deploy it as that.",
  },
  "plugin_host/bad-stage": {
    happened: "A function, sink or source was to begin dark, or as a canary.",
    now: "Nothing was deployed.",
    next:
      "Deploy it live, under another name if it is to be tried beside the old one: waterpark plugin check tries a sink.",
  },
  "plugin_host/check-failed": {
    happened: "The sink did not reach its target, or was not let in.",
    now: "Nothing was sent; deliveries wait and are tried again by themselves.",
    next:
      "The message says why. Look at what the sink's permissions name, and at its secrets in the node's environment.",
  },
  "plugin_host/no-code": {
    happened: "A sink gave no code with a failed delivery.",
    now: "The delivery is treated as the sink said: tried again, or laid aside.",
    next: "Have the sink say a stable code, sink/what, beside the text.",
  },
  "plugin_host/bad-question": {
    happened: "A plugin asked its node for something that there is not, or not in the right form.",
    now: "Nothing was done.",
    next: "Mend the plugin: FunctionContext and SourceContext say what it can ask.",
  },
  "plugin_host/ended": {
    happened: "A source has ended by itself; it should run until its signal is aborted.",
    now: "It begins again after a while that grows.",
    next: "Have its run wait for its signal; what it throws is shown by waterpark effect list.",
  },
  "effects/no-such-sink": {
    happened: "A handler wants something delivered by a sink that is not deployed.",
    now: "The delivery waits, in the log, and goes out when one of that name is deployed.",
    next: "waterpark plugin deploy a sink of that name, or waterpark effect discard ID.",
  },
  "effects/sink-paused": {
    happened: "An operator has paused the sink.",
    now: "Deliveries wait, in the log.",
    next: "waterpark plugin resume NAME.",
  },
  "effects/no-such-delivery": {
    happened: "Nothing of that id is under way, held, or a dead letter.",
    now: "Nothing was changed.",
    next: "waterpark effect list, or effect list --dead --settled, shows what there is.",
  },
  "effects/discarded": {
    happened: "An operator discarded a delivery before it was tried.",
    now: "It is never sent; those behind it go on.",
    next: "waterpark actor resend KEY SEQ records the message once more if it is wanted after all.",
  },
  "effects/not-delivered": {
    happened: "A dead letter was tried again and was not taken.",
    now: "It is still a dead letter; the attempt stands in its history.",
    next: "The message says why. waterpark effect retry ID --message @FILE sends a mended one.",
  },
  "plugin_host/does-not-compile": {
    happened: "The plugin's source cannot be bundled.",
    now: "Nothing was deployed.",
    next: "The message names file and line.",
  },
  "plugin_host/does-not-load": {
    happened: "The bundle throws when it is loaded.",
    now: "That version does not run; its actors are parked.",
    next: "Keep the module's top level free of work; deploy the mended version.",
  },
  "plugin_host/not-a-plugin": {
    happened: "The module does not export a plugin by default.",
    now: "Nothing was deployed.",
    next: "export default defineHandler({ name, kind, initial, handle }), or defineFunction, defineSink, defineSource.",
  },
  "plugin_host/too-large": {
    happened: "The bundle is over its limit.",
    now: "Nothing was deployed.",
    next: "Leave out what the handler does not need.",
  },
  "plugin_host/not-loaded": {
    happened: "The host does not have this version yet.",
    now: "Recording goes on; the message is handled when it is loaded.",
    next: "Nothing needs to be done; if it lasts, look at the node's log.",
  },
  "plugin_host/too-many-versions": {
    happened: "The host holds as many versions as it may.",
    now: "Recording goes on; the version waits.",
    next: "Remove plugins that are not used.",
  },
  "plugin_host/busy": {
    happened: "The host has as many open calls as it may.",
    now: "Recording goes on; the call is repeated.",
    next: "Nothing needs to be done; if it lasts, the handlers are too slow.",
  },
  "plugin_host/closed": {
    happened: "The host was ended.",
    now: "Recording goes on; the node is closing, or starts another.",
    next: "Nothing needs to be done.",
  },
  "plugin_host/died": {
    happened: "The host process ended by itself.",
    now: "Recording goes on; its open calls run again in a new one.",
    next: "Nothing needs to be done; if it lasts, look which plugin does it.",
  },
  "plugin_host/no-process": {
    happened: "A host process cannot be started.",
    now: "Recording goes on; nothing is handled on this node.",
    next: "Look at the machine's limits on processes and memory.",
  },
  "plugin_host/stuck": {
    happened: "The host gave no sign of life and was killed.",
    now: "Recording goes on; its open calls run again in a new one.",
    next: "Look for a loop in the plugin that ran.",
  },
  "plugin_host/out-of-memory": {
    happened: "The host had more memory than it may and was killed.",
    now: "Recording goes on; its open calls run again in a new one.",
    next: "Keep projections small; look which plugin grew.",
  },
  "plugin_host/killed-host": {
    happened: "A message killed the host twice while it was handled alone.",
    now: "The plugin is parked for this actor at that message; other actors go on.",
    next: "Deploy a mended version: it resumes there by itself.",
  },
  "plugin_host/deadline": {
    happened: "A handler took longer than its deadline.",
    now: "The plugin is parked for this actor at that message; other actors go on.",
    next: "Make it faster; deploy the mended version.",
  },
  "plugin_host/threw": {
    happened: "A handler threw.",
    now: "The plugin is parked for this actor at that message; other actors go on.",
    next: "The error and its stack are with the actor: waterpark actor show KEY. Deploy a mended version.",
  },
  "plugin_host/invalid-message": {
    happened: "A message's body is not what the handler's schema says, and the handler has declared that this parks.",
    now: "The message is recorded; the plugin stands still for that actor, other plugins and actors go on.",
    next:
      "Look at the place that the fault names, waterpark actor history KEY; deploy a version whose schema takes it.",
  },
  "plugin_host/invalid-projections": {
    happened: "What the handler wants to keep is not what its own schema of projections says.",
    now: "The message is recorded, its outcome is not; the plugin stands still for that actor.",
    next: "Mend the handler or its schema, try with waterpark plugin test FILE, and deploy it.",
  },
  "plugin_host/async-schema": {
    happened: "A schema of the handler answers a promise, or its own code throws, where an answer is needed at once.",
    now: "The message is recorded; the plugin stands still for every actor that gets such a message.",
    next: "Take asynchronous refinements and transformations out of the schema: handlers cannot wait.",
  },
  "plugin_host/undeclared-effect": {
    happened: "The handler asks for an effect that is not among those that it has declared.",
    now:
      "The message is recorded, nothing of what it asked for is carried out; the plugin stands still for that actor.",
    next: "Add the effect to effects in its defineHandler, or do not ask for it, and deploy it.",
  },
  "plugin_host/bad-result": {
    happened: 'A handler did not answer ["ok", projections, effects].',
    now: "The plugin is parked for this actor at that message.",
    next: "Return the three; deploy the mended version.",
  },
  "plugin_host/bad-effect": {
    happened: "A handler's effect is malformed.",
    now: "The plugin is parked for this actor at that message.",
    next: "Make effects with effect.send and its like; deploy the mended version.",
  },
  "plugin_host/unknown-effect": {
    happened: "A handler asked for an effect that there is not.",
    now: "The plugin is parked for this actor at that message.",
    next: "Use what `effect` has: send, emit, reply, alert, schedule, cancel, retire; deploy the mended version.",
  },
  "plugin_host/too-many-effects": {
    happened: "A handler asked for more effects than one message may lead to.",
    now: "The plugin is parked for this actor at that message.",
    next: "Send fewer, or to an actor that spreads them.",
  },
  "plugin_host/not-plain-data": {
    happened: "Projections or effects are not plain JSON data.",
    now: "The plugin is parked for this actor at that message.",
    next: "Keep functions, dates, maps and cycles out of them.",
  },
  "plugin_host/broken-program": {
    happened: "The bundle damaged the context that it runs in.",
    now: "The plugin is parked for this actor at that message.",
    next: "Do not change built-in objects.",
  },
  "plugin_host/bad-answer": {
    happened: "The host process answered with something else than its protocol has.",
    now: "It was killed; its open calls run again in a new one.",
    next: "If it lasts, report it.",
  },
};
