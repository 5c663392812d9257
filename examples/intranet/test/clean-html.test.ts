import assert from "node:assert/strict";
import { test } from "node:test";

import { cleanHtml } from "../src/lib/clean-html.ts";

test("what runs is taken out, and the text stays", () => {
  assert.equal(cleanHtml('<p onclick="steal()">Hello<script>steal()</script></p>'), "<p>Hello</p>");
  assert.equal(cleanHtml('<a href="javascript:steal()">here</a>'), "<a>here</a>");
});
