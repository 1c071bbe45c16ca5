/**
 * What was ordered, and how far it is: ORC with the OBR or RXO after it, in order, order response and result messages.
 *
 * @module
 */
import { type Hl7Message, type Segment, textAt, timeAt } from "./hl7_values.ts";
import { keepNewest } from "./keep_newest.ts";
import { LIMITS, type Order } from "./state.ts";

/** The orders after a message's ORC groups. */
export function withOrders(known: Record<string, Order>, message: Hl7Message): Record<string, Order> {
  const orders = new Map(Object.entries(known));
  let orc: Segment | null = null;
  for (const segment of message.segments()) {
    if (segment.name === "ORC") {
      orc = segment;
      renew(orders, orc, null);
    } else if (segment.name === "OBR" || segment.name === "RXO") {
      renew(orders, orc, segment);
    }
  }
  return keepNewest(orders, LIMITS.orders);
}

function renew(orders: Map<string, Order>, orc: Segment | null, detail: Segment | null): void {
  const isObr = detail?.name === "OBR";
  const number = (orc && (textAt(orc, "2.1") ?? textAt(orc, "3.1"))) ??
    (isObr ? textAt(detail, "2.1") ?? textAt(detail, "3.1") : null);
  if (number === null) return;
  const before = orders.get(number);
  const service = isObr ? 4 : 1;
  orders.set(number, {
    number,
    code: (detail && textAt(detail, `${service}.1`)) ?? before?.code ?? null,
    text: (detail && textAt(detail, `${service}.2`)) ?? before?.text ?? null,
    control: (orc && textAt(orc, 1)) ?? before?.control ?? null,
    status: (orc && textAt(orc, 5)) ?? before?.status ?? null,
    at: (orc && timeAt(orc, 9)) ?? (isObr ? timeAt(detail, 7) ?? timeAt(detail, 22) : null) ?? before?.at ?? null,
  });
}
