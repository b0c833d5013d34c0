// A client of the API whose types are made from its document. It is compiled
// under strict, and says nothing of types itself: no cast, no any, no assertion.
import { deepStrictEqual, equal, ok } from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const baseUrl = process.env["API_URL"];
ok(baseUrl, "API_URL is not set");

const api = createClient<paths>({ baseUrl });

const health = await api.GET("/health");
equal(health.data?.status, "ok");

const created = await api.POST("/items", {
  params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  body: {
    name: "from a client",
    description: "",
    attributes: { colours: ["red", "green"], nothing: null, empty: {} },
  },
});
ok(created.data);
const { id, version, createdAt } = created.data;
equal(version, 1);
equal(created.response.headers.get("ETag"), '"1"');
equal(created.data.description, "");
deepStrictEqual(created.data.attributes, { colours: ["red", "green"], nothing: null, empty: {} });
ok(!Number.isNaN(Date.parse(createdAt)));

const got = await api.GET("/items/{id}", { params: { path: { id } } });
deepStrictEqual(got.data, created.data);

const replaced = await api.PUT("/items/{id}", {
  params: { path: { id }, header: { "If-Match": '"1"' } },
  body: { name: "replaced" },
});
equal(replaced.data?.version, 2);
equal(replaced.data.attributes, undefined);

// An error is a problem document of the API, or a message of the gateway.
const stale = await api.DELETE("/items/{id}", {
  params: { path: { id }, header: { "If-Match": '"1"' } },
});
equal(stale.response.status, 412);
ok(stale.error && "code" in stale.error);
equal(stale.error.code, "precondition_failed");
equal(stale.error.currentVersion, 2);

const bad = await api.POST("/items", { body: { name: "" } });
ok(bad.error && "code" in bad.error);
deepStrictEqual(
  bad.error.errors?.map((e) => e.field),
  ["/name"],
);

const written = await api.POST("/items/batch-write", {
  body: { entries: [{ create: { name: "one" } }, { create: { name: "two" } }, { delete: { id } }] },
});
equal(written.data?.failed, 0);
const ids = written.data.results.map((r) => r.id);
deepStrictEqual(
  written.data.results.map((r) => r.status),
  [201, 201, 204],
);

const read = await api.POST("/items/batch-get", { body: { ids } });
deepStrictEqual(
  read.data?.items.map((item) => item.name),
  ["one", "two"],
);
deepStrictEqual(read.data?.missing, [id]);

// A list is an array on every page, and a limit is a number.
let cursor: string | undefined;
let listed = 0;
do {
  const page = await api.GET("/items", { params: { query: cursor ? { limit: 1, cursor } : { limit: 1 } } });
  ok(page.data);
  listed += page.data.items.length;
  cursor = page.data.nextCursor;
} while (cursor);
ok(listed >= 2);

const unknown = await api.GET("/items/{id}", { params: { path: { id } } });
equal(unknown.response.status, 404);
ok(unknown.error);
console.log("message" in unknown.error ? unknown.error.message : unknown.error.code);
