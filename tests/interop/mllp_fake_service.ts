import type { HandledView, NodeService, PostAnswer, PostRequest } from "../../runtime/gateway/service.ts";

/** The part of a node that an MLLP listener talks to: records in a list, after a turn or what `answer` says. */
export class FakeService implements Pick<NodeService, "post" | "whenHandled" | "newId" | "nowWallMs"> {
  readonly posted: PostRequest[] = [];
  answer: (request: PostRequest) => Promise<PostAnswer> = () =>
    Promise.resolve({ state: "recorded", receipt: {}, duplicate: false } as PostAnswer);

  whenHandled(): Promise<HandledView> {
    return Promise.resolve({ isHandled: true, standstill: "" });
  }

  newId(): string {
    return crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  }

  nowWallMs(): number {
    return Date.now();
  }

  post(request: PostRequest): Promise<PostAnswer> {
    this.posted.push(request);
    return this.answer(request);
  }
}
