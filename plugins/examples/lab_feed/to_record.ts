/** The hospital's record, which takes HL7 v2 over MLLP. A result that it refuses holds up that patient's later ones. */
import { mllpSink } from "@waterpark/waterpark/sinks/mllp";

export default mllpSink({ name: "to-record", host: "127.0.0.1", port: 2600, whenDead: "hold" });
