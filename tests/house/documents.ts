/**
 * Documents and tree agree.
 */

/** The rooms that a document does not mention as `name`. */
export function roomComplaints(document: string, { name, rooms }: { name: string; rooms: string[] }): string[] {
  return rooms.filter((room) => !new RegExp(`\\b${room}\\b`).test(document))
    .map((room) => `${name} does not mention the room ${room}`);
}

/** The relative links of a Markdown document, without their fragments. */
export function relativeLinks(document: string): string[] {
  const withoutCode = document.replace(/^```[^]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
  return [...withoutCode.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target.split("#")[0])
    .filter((target) => target !== "" && !/^[a-z][a-z0-9+.-]*:/i.test(target));
}
