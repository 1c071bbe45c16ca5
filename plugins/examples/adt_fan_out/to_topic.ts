/** A Kafka topic; its key is the patient's, so that each one's events stay in order. */
import { kafkaSink } from "@waterpark/waterpark/sinks/kafka";

export default kafkaSink({ name: "to-topic", brokers: ["127.0.0.1:9092"], topic: "adt" });
