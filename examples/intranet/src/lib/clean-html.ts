import sanitize from "sanitize-html";

// What editors write, cut down to a short list before it is stored. Whatever is not named here is left out.
export function cleanHtml(html: string): string {
  return sanitize(html, {
    allowedTags: ["p", "br", "strong", "em", "a", "ul", "ol", "li"],
    allowedAttributes: { a: ["href", "rel"] },
    allowedSchemes: ["https", "mailto"],
  });
}
