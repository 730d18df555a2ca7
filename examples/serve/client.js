// Hands a request to lapse serve, goes on, and fetches the result when its end is told. In a page, or in Node with an EventSource.
//   const result = await infer("http://127.0.0.1:8000", "model", { inputs: [...] });
export async function infer(server, model, request) {
  const id = crypto.randomUUID(); // of our own: sending it again after a broken connection makes no second job
  const events = new EventSource(`${server}/v2/events`, { withCredentials: true }); // reconnects by itself
  await new Promise((open) => events.addEventListener("open", open)); // from here on nothing that happens to our jobs is missed
  const ended = new Promise((resolve) => {
    for (const end of ["done", "failed", "cancelled", "expired"]) {
      events.addEventListener(end, ({ data }) => JSON.parse(data).job === id && resolve(end));
    }
  });
  const options = { method: "PUT", body: JSON.stringify(request), headers: { "Content-Type": "application/json" }, credentials: "include" };
  const answer = await fetch(`${server}/v2/jobs/${id}?model=${model}`, options);
  if (!answer.ok) {
    events.close();
    throw new Error((await answer.json()).error);
  }
  const end = await ended.finally(() => events.close()); // meanwhile the job is on the server's disk, whatever happens
  const found = await fetch(`${server}/v2/jobs/${id}${end === "done" ? "/result" : ""}`, { credentials: "include" });
  if (end !== "done") throw new Error(JSON.stringify(await found.json()));
  return found.json();
}
