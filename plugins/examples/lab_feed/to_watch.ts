/** Whoever watches for results that are out of range, by HTTP. */
import { httpSink } from "@waterpark/waterpark/sinks/http";

export default httpSink({ name: "to-watch", url: "http://127.0.0.1:8700/abnormal/{key.facility}" });
