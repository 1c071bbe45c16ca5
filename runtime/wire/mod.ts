/**
 * Wire: how things look as bytes: frames between nodes, MessagePack, hand-laid records, HL7 v2.
 *
 * @module
 */
export { AnswerBatchReader, AnswerBatchWriter, type WireRefusal } from "./answer_batch.ts";
export { badPayload, ByteReader, ByteWriter } from "./bytes.ts";
export {
  decodeHello,
  decodeNames,
  encodeHello,
  encodeNames,
  WIRE,
  WIRE_CLOSE,
  WIRE_NAMES_MAX,
  WIRE_PROTOCOL,
  type WireHello,
  type WireName,
} from "./client_protocol.ts";
export {
  clusterTag,
  decodeFrame,
  encodeFrame,
  type Frame,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FRAME_LAYOUT,
  FRAME_ROOM_BYTES,
  FrameReader,
} from "./frame.ts";
export { FRAME, type Lane, LANE_BULK, LANE_CONTROL, LANE_MESSAGE } from "./frame_types.ts";
export {
  acknowledgeHl7,
  buildAck,
  editHl7,
  encodeHl7,
  escapeHl7,
  HL7_CONTENT_TYPE,
  type Hl7AckCode,
  type Hl7Acknowledgement,
  type Hl7AckOptions,
  type Hl7Batch,
  type Hl7Delimiters,
  Hl7Draft,
  type Hl7Header,
  type Hl7Party,
  type Hl7Path,
  type Hl7Piece,
  hl7Pieces,
  type Hl7Problem,
  type Hl7Route,
  type Hl7RouteAnswer,
  type Hl7RouteOptions,
  type Hl7Scalar,
  Hl7Segment,
  hl7Timestamp,
  type Hl7Value,
  Hl7View,
  type Hl7Where,
  isAck,
  isHl7Batch,
  isHl7Charset,
  joinHl7Batch,
  newHl7,
  parseHl7,
  parseHl7Path,
  readAckWishes,
  readHl7Number,
  readHl7Route,
  readHl7Time,
  splitHl7Batch,
  unescapeHl7,
} from "./hl7.ts";
export { type Hl7Leaf, hl7Values } from "./hl7_values.ts";
export { pack, unpack } from "./pack.ts";
export { borrow, giveBack } from "./slab.ts";
export { BATCH_POSTS_MAX, type OutgoingPost, PostBatchReader } from "./post_batch.ts";
export { PostBatchWriter } from "./post_batch_writer.ts";
export { commonVersion, PROTOCOL, type ProtocolRange } from "./protocol.ts";
export type { MessageProposal, ProposeAnswer, Receipt, WriterHint } from "./proposal.ts";
export { type ByteConn, type UpgradeRequest, WebSocketClient, type WebSocketHandlers } from "./websocket_client.ts";
export {
  joinBytes,
  smallWebSocketFrame,
  WEBSOCKET,
  WEBSOCKET_ROOM_BYTES,
  webSocketAccept,
  webSocketFrame,
  WebSocketReader,
} from "./websocket_frames.ts";
