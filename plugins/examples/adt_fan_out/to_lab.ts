/** The laboratory, which takes HL7 v2 over MLLP. */
import { mllpSink } from "@waterpark/waterpark/sinks/mllp";

export default mllpSink({ name: "to-lab", host: "127.0.0.1", port: 2601 });
