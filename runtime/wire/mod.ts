/**
 * Wire: how things look as bytes: frames between nodes, MessagePack, hand-laid records, HL7 v2.
 *
 * @module
 */
export { badPayload, ByteReader, ByteWriter } from "./bytes.ts";
export { FRAME, type Lane, LANE_BULK, LANE_CONTROL, LANE_MESSAGE } from "./frame_types.ts";
export { pack, unpack } from "./pack.ts";
