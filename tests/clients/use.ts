// Uses the types that openapi-typescript generated, as its documentation shows: by openapi-fetch.
// The address of the server is the only argument.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const baseUrl = process.argv[2];
assert(baseUrl);

const password = "a fine long sentence";
const anonymous = createClient<paths>({ baseUrl });

const registered = await anonymous.POST("/users", {
  body: { username: "tess", email: "tess@example.com", password },
});
assert(registered.data, JSON.stringify(registered.error));
assert.equal(registered.data.username, "tess");

const loggedIn = await anonymous.POST("/auth/token", {
  body: { username: "tess", password },
  bodySerializer: (form) => new URLSearchParams(form),
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
});
assert(loggedIn.data, JSON.stringify(loggedIn.error));

const tess = createClient<paths>({
  baseUrl,
  headers: { Authorization: `Bearer ${loggedIn.data.access_token}` },
});

const created = await tess.POST("/todos", { body: { title: "Buy bread" } });
assert(created.data, JSON.stringify(created.error));
assert.equal(created.data.state, "todo");
const path = { todo_id: created.data.id };

const listed = await tess.GET("/todos", { params: { query: { title: "bread", limit: 10 } } });
assert.deepEqual(listed.data?.todos, [created.data]);
assert.equal(listed.data.next, null);

const patched = await tess.PATCH("/todos/{todo_id}", {
  params: { path, header: { "If-Match": `"${created.data.version}"` } },
  body: { state: "done" },
});
assert.equal(patched.data?.state, "done");
assert.equal(patched.data.title, "Buy bread");

const deleted = await tess.DELETE("/todos/{todo_id}", { params: { path } });
assert.equal(deleted.data?.message, "Task has been deleted successfully.");

const missing = await tess.GET("/todos/{todo_id}", { params: { path } });
assert.equal(missing.response.status, 404);
assert.equal(missing.error?.detail, "Task not found.");
