import type { Explanation } from "../explain.ts";

/** What goes wrong with messages, logs, actors. */
export const DATA: Record<string, Explanation> = {
  "mailroom/busy": {
    happened: "As many messages wait for their receipt as may.",
    now: "The message was not recorded.",
    next: "Send again under the same id after the time in Retry-After.",
  },
  "mailroom/too-large": {
    happened: "The message is over the limit of the mailroom.",
    now: "The message was not recorded.",
    next: "Split it.",
  },
  "mailroom/conflict": {
    happened: "The actor already has a message of this id, with other bytes.",
    now: "The first one stands; this one was not recorded.",
    next: "Give another message another id. The same message must be sent byte by byte as before.",
  },
  "mailroom/precondition": {
    happened: "If-Match does not name the actor's last seq: somebody else was first.",
    now: "The message was not recorded; the answer names the last seq.",
    next: "Read the actor again, decide anew, send with the new seq.",
  },
  "mailroom/stopped": {
    happened: "An earlier message of the same sender to the same actor was refused for now, and order is kept.",
    now: "This message was not recorded, or its outcome is the one given; nothing has overtaken the refused one.",
    next: "Send the refused message again under its id, then this one; or go on in a new stream without it.",
  },
  "mailroom/bad-key": {
    happened: "The key names no actor.",
    now: "The message was not recorded.",
    next: "Write the key as facility/id or kind/facility/id.",
  },
  "mailroom/timeout": {
    happened: "No receipt came within the request's deadline: the shard has no working writer, or its answer was lost.",
    now: "With outcome not-applied nothing was recorded; with unknown it may have been.",
    next:
      "Send again under the same id; if it lasts, waterpark topology inspect --actor KEY says which nodes must come back.",
  },
  "mailroom/closed": {
    happened: "The node stops.",
    now: "With outcome not-applied nothing was recorded; with unknown it may have been.",
    next: "Send again under the same id, to another node: our client does so by itself.",
  },
  "replication/violation": {
    happened: "A peer sent entries that the protocol forbids.",
    now: "Nothing of them was taken; the histories here are as they were.",
    next: "Look at which version and build that peer runs, and tell the developers.",
  },
  "replication/no-writer": {
    happened: "The shard has no working writer: a majority of its copies is missing, or one is being elected.",
    now: "Nothing was done, and nothing recorded is lost.",
    next: "Wait a second; if it lasts, waterpark topology inspect --actor KEY says which nodes must come back.",
  },
  "replication/no-such-copy": {
    happened: "The node holds no lost copy of that shard and generation.",
    now: "Nothing was done.",
    next: "See which there are: waterpark lost list.",
  },
  "mailroom/no-majority": {
    happened: "The shard stands still: a majority of its copies is gone, or fewer are left than a receipt needs.",
    now: "What was recorded before is kept. With outcome unknown this message may be in a surviving copy.",
    next:
      "Bring nodes back. If they are gone for good: waterpark topology recover all, then node remove for each of them.",
  },
  "replication/not-writer": {
    happened: "Another node writes the shard; the one asked no longer does.",
    now: "Nothing was done.",
    next: "Ask again: hints are updated on the way.",
  },
  "storage/full": {
    happened: "The shard holds as many bytes as it may.",
    now: "The message was not recorded.",
    next: "Add nodes, or raise the limit.",
  },
  "storage/too-large": {
    happened: "A part of the message (key, id, type, payload) is over its limit.",
    now: "The message was not recorded.",
    next: "The message names the part and its limit.",
  },
  "storage/bad-entry": {
    happened: "An entry that another copy sent does not follow this copy's log.",
    now: "It was refused; the copy is caught up anew.",
    next: "If it lasts, report it: the copies may differ.",
  },
  "storage/duplicate": {
    happened: "The log already has a message of this id.",
    now: "Nothing was appended.",
    next: "A defect if you see it: the id is looked up before. Please report it.",
  },
  "actors/unknown": {
    happened: "The actor has no message.",
    now: "There is nothing to see.",
    next: "Look at the key; waterpark actor list lists those that there are.",
  },
  "actors/retired": {
    happened: "A handler has ended the actor's life: its history was freed.",
    now: "Its last seq is kept, and for 30 days the ids of its messages. There is nothing else to see.",
    next: "The next message begins a new life, at the next seq.",
  },
  "actors/too-young": {
    happened: "An actor was to retire, but has more messages of the last 30 days than a tombstone holds (16,384).",
    now: "The wish is void; the actor lives on.",
    next: "Retire such an actor when it has been quiet for some time, or spread its messages over more actors.",
  },
  "actors/bad-timer": {
    happened: "A handler scheduled a message that could not be recorded when it is due: too large, or without a time.",
    now: "The plugin stands still for this actor at that message.",
    next:
      "Schedule a message of at most 16 KiB and keep what it is about in the projections; deploy the mended version.",
  },
  "actors/too-many-timers": {
    happened: "A handler asked for more open timers than one actor may have (64).",
    now: "The plugin stands still for this actor at that message.",
    next: "Use fewer names (scheduling under the same name replaces the timer); deploy the mended version.",
  },
  "actors/not-reached": {
    happened: "The actor has not reached the seq asked for within the time.",
    now: "Nothing was changed.",
    next: "Ask again, or ask for a seq that its history has.",
  },
  "actors/not-here": {
    happened: "The shard was moved while the actor was read.",
    now: "Nothing was changed.",
    next: "Ask again.",
  },
  "actors/busy": {
    happened: "Too many actors are being read here.",
    now: "Nothing was changed.",
    next: "Ask again in a moment, or read=nearest at another node.",
  },
  "actors/timeout": {
    happened: "The handlers did not get through the actor's history in time.",
    now: "Nothing was changed; recording goes on.",
    next: "Ask again: what was folded is kept. Look at how long the handler takes.",
  },
  "actors/cannot-fold": {
    happened: "A plugin cannot be folded for this actor: it is not loaded, or its host dies of it.",
    now: "Recording goes on; this plugin's projections are missing.",
    next: "waterpark plugin list shows what is parked; deploy a mended version.",
  },
  "actors/history-too-long": {
    happened: "The history up to that seq is too long to be folded from birth.",
    now: "Nothing was changed.",
    next: "Ask for a smaller seq, or for the present.",
  },
  "actors/parked": {
    happened: "A plugin stands still for this actor, at a message that it could not handle.",
    now: "Recording and other plugins go on; nothing is lost.",
    next: "Deploy a mended version: it resumes at that message by itself.",
  },
  "actors/parked-full": {
    happened: "As many actors are parked as are remembered one by one.",
    now: "Recording goes on.",
    next: "The plugin is broken for many: roll it back.",
  },
  "actors/bad-entry": {
    happened: "An outcome in the log cannot be read by this version.",
    now: "The messages are safe; what handlers decided there is skipped.",
    next: "Bring all nodes to the same version; if it lasts, report it.",
  },
  "actors/bad-effects": {
    happened: "A handler's effects are no plain data.",
    now: "The plugin is parked for this actor at that message.",
    next: "Return plain data; deploy the mended version.",
  },
  "actors/effects-too-large": {
    happened: "A handler's effects for one message are over the limit.",
    now: "The plugin is parked for this actor at that message.",
    next: "Send less in one go; deploy the mended version.",
  },
  "effects/bad-entry": {
    happened: "Effects in the log cannot be read by this version.",
    now: "The messages are safe; these effects are not carried out.",
    next: "Bring all nodes to the same version; if it lasts, report it.",
  },
  "effects/clock-off": {
    happened: "This node's wall clock is more than 2 s off the median of its peers'.",
    now: "Timers of the shards that it writes do not fire, and no actor retires there, until the clock is right.",
    next: "Set the clock; have NTP or chrony keep it. What is due then fires by itself.",
  },
  "effects/bad-timer": {
    happened: "A timer of the log cannot be read, or its message stood in the log before it was scheduled.",
    now: "That timer does not fire; everything else goes on.",
    next: "Report it. It may be that somebody sent a message under an id of the form key#seq#plugin#number.",
  },
  "effects/too-many-retire": {
    happened: "More actors want to retire at the same time than a node looks after (65,536).",
    now: "Those beyond live on; nothing is lost.",
    next: "Look which effects do not get through: a life ends only when its actor owes nothing.",
  },
  "effects/bad-effect": {
    happened: "An effect names no valid key or message.",
    now: "It is not carried out, and never will be; the others are.",
    next: "Mend the handler.",
  },
  "effects/unknown-effect": {
    happened: "An effect is of a type that this version does not know.",
    now: "It is not carried out here.",
    next: "Bring all nodes to the same version.",
  },
  "effects/refused": {
    happened: "An effect was refused for good.",
    now: "It is not carried out; the code beside it says why.",
    next: "Mend the handler or its receiver.",
  },
};
