import type { Explanation } from "../explain.ts";

/** What callers meet: the client, the gateway, keys, HL7. */
export const OUTSIDE: Record<string, Explanation> = {
  "base/bad-key": {
    happened: "A part of an actor's key is missing, empty, longer than 200 characters, or holds control characters.",
    now: "Nothing was done.",
    next: "Write the key as facility/id or kind/facility/id, a slash inside a part as %2F.",
  },
  "wire/not-hl7": {
    happened: "What came does not begin with an MSH segment that declares its delimiters.",
    now: "Nothing was recorded; MLLP answers AR, which tells the sender to stop repeating it.",
    next: "Look at what the sender really sends; a header of another protocol before the message is the usual cause.",
  },
  "wire/no-key": {
    happened: "An HL7 message does not name its actor: MSH-4.1 or PID-3.1, or what is in their place, is empty.",
    now: "Nothing was recorded; MLLP answers AR.",
    next: "Have the sender fill the fields, or say where the key stands: --mllp-facility, --mllp-patient.",
  },
  "wire/bad-payload": {
    happened: "The payload of a frame or entry cannot be read.",
    now: "It was dropped; the sender repeats what is owed.",
    next: "Look whether nodes of different versions talk; if not, report it.",
  },
  "wire/bad-frame": {
    happened: "A peer sent bytes that are no frame.",
    now: "The connection was closed and will be made anew.",
    next: "Look at what connects to the mesh port: it is for nodes only.",
  },
  "wire/frame-too-large": {
    happened: "A peer announced a frame over the limit of 16 MiB.",
    now: "The connection was closed and will be made anew.",
    next: "Look at what connects to the mesh port: it is for nodes only.",
  },
  "client/bad-url": {
    happened: "A node's URL is not one, or none was given.",
    now: "Nothing was asked.",
    next: "Give --node (or connect) an address like http://127.0.0.1:8600.",
  },
  "client/bad-id": {
    happened: "A message id or type is longer than 200 characters, or holds what an HTTP header cannot carry.",
    now: "Nothing was sent.",
    next: 'Use short, printable ASCII; sendMany and wire: "websocket" take any text.',
  },
  "client/full": {
    happened: "More messages wait in the client for their receipts than it holds.",
    now: "This one was not sent; those that wait are.",
    next: "Send it again when some have their receipts; sendMany waits by itself.",
  },
  "client/closed": {
    happened: "The client was closed while the message waited for its receipt, or before it was sent.",
    now: "The outcome beside the code says whether it may have been recorded.",
    next: "Send it again under the same id with another client.",
  },
  "client/bad-answer": {
    happened: "Something answered that is not a Waterpark node, or left its answer out: a proxy, mostly.",
    now: "What was asked may or may not have been done.",
    next: "Look at the URL; then send again under the same id.",
  },
  "client/broken": {
    happened: "The connection broke before the answer, and no other node was left to ask in time.",
    now: "What was asked may or may not have been done.",
    next: "Send again under the same id: what was recorded is not recorded twice.",
  },
  "client/unreachable": {
    happened: "No node could be reached at the URLs given.",
    now: "Unless an earlier attempt broke off, nothing was done; the outcome beside the code says which.",
    next: "Start one with: waterpark node start. Or say where one is: --node URL, WATERPARK_NODE.",
  },
  "cli/failed": {
    happened: "A command failed outside of Waterpark: a file, a process, a port.",
    now: "Nothing was done, as far as the command knows.",
    next: "The message names the file or process.",
  },
  "cli/misused": {
    happened: "The command line is wrong.",
    now: "Nothing was done.",
    next: "Add --help to the command.",
  },
  "gateway/bad-request": {
    happened: "A header, query or field is not what it must be.",
    now: "Nothing was done.",
    next: "The message names the field and its rule.",
  },
  "cli/not-proven": {
    happened: "An audit could not prove everything: the report says which messages or shards, and why.",
    now:
      "An audit changes nothing. Lost, thin and differing messages need a person; unproven ones need nodes that answer.",
    next: "Start the nodes that could not be asked, or wait until copies have moved, and audit again.",
  },
  "gateway/bad-receipt": {
    happened: "A line that was to be audited is no receipt: shard, seq, index or digest is missing or malformed.",
    now: "Nothing was asked about it; the other lines were audited.",
    next: "Give receipts as the API gave them, one JSON object a line; key and id may be left out.",
  },
  "gateway/bad-json": {
    happened: "A JSON body does not parse, is not UTF-8, or is nested deeper than 64.",
    now: "Nothing was recorded.",
    next: "Send well-formed JSON, or the same bytes under another Content-Type: they are kept as they are.",
  },
  "gateway/bad-content-type": {
    happened: "The Content-Type is missing, malformed or of no use at this address, or the body is compressed.",
    now: "Nothing was recorded.",
    next: "Send a Content-Type of the form type/subtype and no Content-Encoding.",
  },
  "gateway/too-large": {
    happened: "A message, line or bundle is over its limit (1 MiB; bundles 8 MiB).",
    now: "Nothing was recorded.",
    next: "Split it, or raise the limit in the configuration of all nodes.",
  },
  "gateway/not-found": {
    happened: "There is nothing at this address: no such route, node or plugin.",
    now: "Nothing was done.",
    next: "GET /v1/nodes and /v1/plugins list what there is.",
  },
  "gateway/method-not-allowed": {
    happened: "The address is right, the method is not.",
    now: "Nothing was done.",
    next: "The Allow header names the methods.",
  },
  "gateway/unauthorized": {
    happened: "The request carries no bearer token that this node knows.",
    now: "Nothing was done.",
    next: "Give --token, WATERPARK_TOKEN, or the header Authorization: Bearer TOKEN.",
  },
  "gateway/deadline": {
    happened: "The node did not answer within the request's deadline.",
    now: "A write may or may not have been done; a read has changed nothing.",
    next: "Send again under the same id; if it lasts, look at waterpark topology inspect.",
  },
  "gateway/busy": {
    happened: "More messages are under way at this node than it gets done within a second.",
    now: "Nothing was done: the message was not even read.",
    next: "Send again after Retry-After, or by another node: our client does so by itself. If it lasts, add nodes.",
  },
  "gateway/too-many-streams": {
    happened: "As many watches and NDJSON streams are open on this node as may be.",
    now: "The stream was not opened.",
    next: "Ask another node, or wait; close watches that nobody reads.",
  },
  "gateway/closing": {
    happened: "The node is going down.",
    now: "The stream was not opened.",
    next: "Ask another node: our client does so by itself.",
  },
  "gateway/cannot-listen": {
    happened: "The HTTP address is taken, or not this machine's.",
    now: "The node has not started.",
    next: "Choose another with --http, or end what listens there.",
  },
  "gateway/bug": {
    happened: "The gateway met a defect of its own.",
    now: "What was asked may or may not have been done.",
    next: "The node's log has the details; please report it. Then send again under the same id.",
  },
  "gateway/bad-id": {
    happened: "The id of a message over MLLP, MSH-4.1 and MSH-10 with a slash between them, is over 200 characters.",
    now: "Nothing was recorded; MLLP answers AR.",
    next: "Have the sender use shorter control ids.",
  },
  "gateway/behind-refused": {
    happened: "An earlier message of the same patient on the same connection was refused for now, and order is kept.",
    now: "Nothing was recorded; MLLP answers AE.",
    next: "The sender repeats both, in its order.",
  },
  "gateway/unexpected": {
    happened: "The gateway met a defect of its own while it recorded a message over MLLP.",
    now: "The message may or may not be recorded; MLLP answers AE.",
    next: "The sender repeats it, under the same MSH-10: it stands once. Please report it.",
  },
  "gateway/bad-mllp-settings": {
    happened:
      "A node was told to listen for HL7 in a way that cannot be: a path that is none, an unknown charset, a limit.",
    now: "The node has not started.",
    next: "Mend what the message names; waterpark node start --help shows the --mllp flags.",
  },
  "gateway/bad-reply": {
    happened:
      "A handler replied with an HL7 message that does not answer the one it was about (MSA-2 is its MSH-10), or " +
      "that has characters for which the sender's charset has no place.",
    now: "The message is recorded and handled; its sender got AE in the reply's place.",
    next:
      "Make the reply with acknowledgeHl7(message, ...), and set MSH-18 to UNICODE UTF-8 where the sender reads it.",
  },
  "gateway/mllp-conflict": {
    happened: "A message came over MLLP with a control id under which its patient has another one already.",
    now:
      "It was answered AR and not recorded; where the node was started with --mllp-conflicts keep, it is recorded under id~digest, and was answered AA.",
    next: "Look why the sender uses control ids twice; until it does not, start the nodes with --mllp-conflicts keep.",
  },
};
