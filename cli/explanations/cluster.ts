import type { Explanation } from "../explain.ts";

/** What goes wrong between nodes, and in the topology. */
export const CLUSTER: Record<string, Explanation> = {
  "node/bad-name": {
    happened: "A node's name does not say where it stands.",
    now: "The node has not started.",
    next: "Name it by data center, zone and number: TN-A-1.",
  },
  "node/advertise-needed": {
    happened: "The node listens at all addresses of its machine, and nobody said at which one its peers find it.",
    now: "The node has not started.",
    next: "Give --advertise HOST:PORT with an address that the other nodes reach, or --listen at that address.",
  },
  "node/bad-message": {
    happened: "A message is no JSON value, text or bytes: undefined, a function.",
    now: "Nothing was sent.",
    next: "Send plain data.",
  },
  "node/cannot-join": {
    happened: "None of the addresses given with --join has taken the node in.",
    now: "The node has not started; the cluster is as it was.",
    next: "See that a node listens there for its mesh (--listen, not --http), with the same secret.",
  },
  "node/not-ready": {
    happened: "The node has not joined its cluster yet, or the shards wait for more nodes.",
    now: "Nothing was done.",
    next: "Wait, or ask another node; GET /readyz says what it waits for.",
  },
  "node/removed": {
    happened: "The node is not in the topology any more: an operator removed it, or another process has its name now.",
    now: "It answers for nothing, and ends with exit code 1. What it held is on other nodes, or gone with it.",
    next: "Ask another node. If it was a mistake, start it again under its name with --join: it comes back empty.",
  },
  "node/no-answer": {
    happened: "Another node was asked and did not answer in time.",
    now: "What it was asked for may or may not have been done.",
    next: "Send again under the same id; look at waterpark node list.",
  },
  "node/unreachable": {
    happened: "The node has no link to the one that it would have to ask.",
    now: "Nothing was done.",
    next: "Ask another node; look at the network between the two.",
  },
  "node/busy": {
    happened: "Too many requests to other nodes are open here.",
    now: "Nothing was done.",
    next: "Wait a moment, or ask another node.",
  },
  "node/closing": {
    happened: "The node was going down while it waited for another's answer.",
    now: "What was asked may or may not have been done.",
    next: "Send again under the same id, to another node.",
  },
  "node/too-large": {
    happened: "A question between nodes, or its answer, does not fit into a frame.",
    now: "The outcome says it.",
    next: "Ask for less at a time.",
  },
  "node/bad-answer": {
    happened: "A peer answered something that is no answer.",
    now: "Not known; the request may have been done.",
    next: "Look at which version that peer runs; send again under the same id.",
  },
  "node/unknown-request": {
    happened: "A node was asked for something that its version does not know.",
    now: "Nothing was done.",
    next: "Bring all nodes to the same version.",
  },
  "node/bug": {
    happened: "A node met a defect of its own.",
    now: "What was asked may or may not have been done.",
    next: "Its log has the details; please report it. Then send again under the same id.",
  },
  "topology/no-writer": {
    happened: "The topology cannot change now: a majority of its voters is missing, or its writer is changing.",
    now: "Messages go on. With outcome unknown the change may still come.",
    next: "See who is alive with waterpark node list; then repeat the command.",
  },
  "topology/node-alive": {
    happened: "A node was to be removed that is alive and holds copies.",
    now: "Nothing was changed.",
    next: "Move its copies first: waterpark node drain NAME. If it must go as it is, add --force.",
  },
  "topology/has-majority": {
    happened: "A shard was to be recovered that has a majority of its copies, or whose copies are not missed yet.",
    now: "Nothing was changed.",
    next: "Wait until the dead nodes are suspected, a second or so. If you know better, add --force.",
  },
  "topology/other-generation": {
    happened: "The shard has been recovered meanwhile.",
    now: "Nothing was changed by this command.",
    next: "Look at it: waterpark topology recover SHARD without --accept-data-loss shows all its copies.",
  },
  "topology/no-such-survivor": {
    happened: "The survivor of a recovery must be a node that is up and answers.",
    now: "Nothing was changed.",
    next: "Leave --survivor out: the node with the furthest copy is chosen.",
  },
  "topology/not-spoken": {
    happened:
      "A command was given that belongs to a later version of the protocol than some node of the topology speaks.",
    now: "Nothing was changed, on any node.",
    next: "Upgrade the last nodes (waterpark cluster upgrade), or remove those that are gone for good; then again.",
  },
  "topology/wrong-protocol": {
    happened: "The node's code is older than what the cluster has agreed on by now.",
    now: "The node has not joined; the cluster is as it was.",
    next: "Start it with the code that the other nodes run.",
  },
  "topology/bad-plan": {
    happened:
      "A plan was asked for that could not happen: a node that is not there, or is there already, or the last one.",
    now: "Nothing was done; a plan never changes anything.",
    next: "waterpark node list names the nodes.",
  },
  "topology/bad-ack-rule": {
    happened: "A receipt was to need fewer copies than a majority, or more than there are.",
    now: "The rule is as it was.",
    next: "Choose a number of copies from more than half of all to all, and no more data centers than copies.",
  },
  "node/ack-rule": {
    happened: "With the rule asked for, the loss of one data center would stop all receipts.",
    now: "Nothing was started or changed.",
    next:
      "Ask for fewer copies or data centers; or, if that is what you want, add --ack-force (topology ack: --force).",
  },
  "topology/behind": {
    happened: "The change is agreed on, but this node has not seen it yet.",
    now: "It was done.",
    next: "Look again in a moment.",
  },
  "topology/not-created": {
    happened: "There is no cluster here yet.",
    now: "Nothing was done.",
    next: "Create one: waterpark node start without --join, or cluster start.",
  },
  "topology/already-created": {
    happened: "A cluster is created once, and this one is.",
    now: "Nothing was changed.",
    next: "Join it with --join.",
  },
  "topology/not-born": {
    happened: "The shards are not born yet: fewer nodes have joined than were expected.",
    now: "Nothing was changed.",
    next: "Start the other nodes.",
  },
  "topology/already-born": {
    happened: "The shards are born once, and these are.",
    now: "Nothing was changed.",
    next: "Nothing needs to be done.",
  },
  "topology/no-such-node": {
    happened: "The topology has no node of that name.",
    now: "Nothing was changed.",
    next: "waterpark node list names them all.",
  },
  "topology/no-such-plugin": {
    happened: "The cluster has no plugin of that name.",
    now: "Nothing was changed.",
    next: "waterpark plugin list names them all.",
  },
  "topology/no-such-version": {
    happened: "There is no earlier version to go back to, or it is no longer kept.",
    now: "The live version stays.",
    next: "Deploy the version that you want.",
  },
  "topology/no-such-home": {
    happened: "No shard set is at home in that data center.",
    now: "Nothing was changed.",
    next: "Name a data center that has nodes.",
  },
  "topology/no-node": {
    happened: "No node is up that could take it.",
    now: "Nothing was changed.",
    next: "Start nodes, or wait until they are back.",
  },
  "topology/last-node": {
    happened: "Without this node, no other would be up.",
    now: "Nothing was changed.",
    next: "Start another node first.",
  },
  "topology/node-absent": {
    happened: "The node is absent: its copies are being replaced already.",
    now: "Nothing was changed.",
    next: "Remove it, or start it anew under the same name.",
  },
  "topology/bad-name": {
    happened: "A node's name is not data center, zone and number.",
    now: "Nothing was changed.",
    next: "Write it like TN-A-1.",
  },
  "topology/bad-shard": {
    happened: "A shard's name is not one.",
    now: "Nothing was changed.",
    next: "Write it like S05/017, or SYS/000 for the topology's own.",
  },
  "topology/bad-command": {
    happened: "A change to the topology is malformed.",
    now: "Nothing was changed.",
    next: "The message says what is wrong; nodes of different versions can be the cause.",
  },
  "topology/facility-fixed": {
    happened: "The facility belongs to another shard set, for ever.",
    now: "Nothing was changed; no history can split.",
    next: "Move the set's home instead of the facility.",
  },
  "topology/kind-fixed": {
    happened: "A plugin of that name exists with another kind.",
    now: "The plugin is as it was.",
    next: "Give the new one another name.",
  },
  "topology/incarnation-gone": {
    happened: "A process of this life was replaced or removed, and may not come back.",
    now: "It is not in the cluster.",
    next: "Start it anew: every start is a new life.",
  },
  "topology/incarnation-taken": {
    happened: "Two nodes claim to be the same process.",
    now: "The second is not in the cluster.",
    next: "Start it anew.",
  },
  "topology/too-many-absent": {
    happened: "More data centers would be declared absent than one.",
    now: "Nothing was changed: copies stay where they are until somebody decides.",
    next: "Look at the network between the data centers before anything else.",
  },
  "topology/too-many-nodes": {
    happened: "The cluster has as many nodes as it may.",
    now: "The node was not taken in.",
    next: "Remove nodes that are gone for good.",
  },
  "topology/too-many-facilities": {
    happened: "As many facilities have a home of their own as may.",
    now: "Nothing was changed; others are placed by their name.",
    next: "Leave the entry out for facilities that need none.",
  },
  "topology/too-many-names": {
    happened: "The topology has as many entries of that sort as it may.",
    now: "Nothing was changed.",
    next: "Take away some that are not used.",
  },
  "topology/too-many-plugins": {
    happened: "The cluster has as many plugins as it may.",
    now: "Nothing was changed.",
    next: "Remove one that is not used.",
  },
  "topology/too-many-bundles": {
    happened: "All plugins' bundles together would be over the limit.",
    now: "Nothing was changed.",
    next: "Make the bundle smaller, or remove plugins that are not used.",
  },
  "transport/address-in-use": {
    happened: "The mesh address is taken.",
    now: "The node has not started.",
    next: "Choose another with --listen, or end what listens there.",
  },
  "transport/bad-address": {
    happened: "An address is not host:port, or not this machine's.",
    now: "Nothing was connected, or the node has not started.",
    next: "Write it like 10.0.0.1:4600, IPv6 in brackets; listen on an address that this machine has.",
  },
  "transport/secret-needed": {
    happened: "Without a secret a node listens on loopback only.",
    now: "The node has not started.",
    next: "Give all nodes the same --secret-file.",
  },
  "transport/weak-secret": {
    happened: "The cluster's secret is too short.",
    now: "The node has not started.",
    next: "Use at least 16 bytes, better 32 random ones.",
  },
  "transport/wrong-secret": {
    happened: "The two nodes do not have the same secret.",
    now: "They are not connected.",
    next: "Give all nodes the same --secret-file.",
  },
  "transport/wrong-cluster": {
    happened: "The node there belongs to another cluster.",
    now: "They are not connected.",
    next: "Look at the addresses in --join.",
  },
  "transport/wrong-version": {
    happened: "The two nodes have no protocol version in common.",
    now: "They are not connected.",
    next: "Upgrade one version at a time.",
  },
  "transport/bad-hello": {
    happened: "A peer's greeting is malformed.",
    now: "The connection was closed.",
    next: "Look at what connects to the mesh port: it is for nodes only.",
  },
  "transport/self": {
    happened: "The node was told to join itself.",
    now: "It is not connected to anybody by that.",
    next: "Give --join the address of another node.",
  },
  "transport/unreachable": {
    happened: "Nobody answers at a node's address.",
    now: "They are not connected; it is tried again.",
    next: "See that it runs, and that UDP and TCP pass (or --transport websocket).",
  },
  "transport/full": {
    happened: "The node has as many connections as it may.",
    now: "The new one was refused.",
    next: "Look at who connects; a full mesh serves to about 100 nodes.",
  },
  "transport/closing": {
    happened: "The node there is going down.",
    now: "They are not connected.",
    next: "Nothing needs to be done: its work is taken over.",
  },
};
