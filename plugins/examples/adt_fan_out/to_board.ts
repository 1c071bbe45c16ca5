/** The bed board, by HTTP. */
import { httpSink } from "@waterpark/waterpark/sinks/http";

export default httpSink({ name: "to-board", url: "http://127.0.0.1:8701/moves", headers: { "x-what": "{type}" } });
