// Extras of the console; every page works without them.
"use strict";

// Times in the reader's own zone, the exact UTC in the title and one press away.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const ZONE = "gangway-times-in-utc"; // what this browser chose last; a private window may not keep it
let local = true;
try {
  local = localStorage.getItem(ZONE) === null;
} catch {}

function showTimes() {
  for (const element of document.querySelectorAll("time[datetime]:not([data-ago])")) {
    element.textContent = local ? format.format(new Date(element.dateTime)) : element.title;
  }
}

function showLocalTitles(root) {
  for (const element of root.querySelectorAll("time[data-ago]")) {
    element.title = `${format.format(new Date(element.dateTime))} – ${element.title}`;
  }
}

const line = document.querySelector("[data-zone]");
if (line) {
  showLocalTitles(document);
  const button = document.createElement("button");
  button.type = "button";
  const label = () => {
    line.firstChild.textContent = local ? `Times are in your zone, ${zone}. ` : "Times are UTC. ";
    button.textContent = local ? "Show UTC" : "Show my zone";
  };
  button.addEventListener("click", () => {
    local = !local;
    try {
      if (local) localStorage.removeItem(ZONE);
      else localStorage.setItem(ZONE, "1");
    } catch {}
    label();
    showTimes();
  });
  line.append(button);
  label();
  showTimes();
}

// A button that copies what is shown once.
for (const field of document.querySelectorAll("[data-copy]")) {
  const input = field.querySelector("input");
  if (!input || !navigator.clipboard) continue;
  const row = document.createElement("div");
  row.className = "copy-row";
  input.replaceWith(row);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button secondary compact";
  button.textContent = "Copy";
  const said = document.createElement("span");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(input.value);
    button.textContent = "Copied";
    said.textContent = "Copied to the clipboard.";
  });
  row.append(input, button, said);
}

// A button beside each id that copies it.
function showCopyButtons(root) {
  if (!navigator.clipboard) return;
  for (const id of root.querySelectorAll("[data-copy-id]:not(:has(button))")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy-id";
    button.setAttribute("aria-label", `Copy ${id.dataset.copyId}`);
    const said = document.createElement("span");
    said.className = "visually-hidden";
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(id.dataset.copyId);
      button.classList.add("copied");
      said.textContent = "Copied to the clipboard.";
    });
    id.append(button, said);
  }
}
showCopyButtons(document);

// Live numbers: a part of the page that is read again every while, as long as somebody looks at it.
const live = document.querySelector("[data-live]");
if (live) {
  const EVERY = 20000;
  let ended = false;

  const refresh = async () => {
    // Whoever is about to press something must not have it taken away.
    if (document.hidden || live.querySelector("form:focus-within, .confirm[open]")) return;
    const answer = await fetch(live.dataset.live, {
      headers: { "X-Gangway-Live": "1" }, // it keeps nobody logged in
      redirect: "manual",
    }).catch(() => null);
    if (answer?.type === "opaqueredirect") ended = true; // the session is over: the next click says so
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(live.id);
    if (!fresh || fresh.innerHTML === live.dataset.shown) return;
    const focused = live.contains(document.activeElement) ? document.activeElement : null;
    const place = [...live.querySelectorAll("a, summary, button")].indexOf(focused);
    const wasOpen = [...live.querySelectorAll("details")].map((element) => element.open);
    const scrolled = [...live.querySelectorAll(".table-scroll")].map((element) => element.scrollTop);
    live.dataset.shown = fresh.innerHTML;
    live.replaceChildren(...fresh.childNodes);
    live.querySelectorAll("details").forEach((element, index) => {
      element.open = wasOpen[index] ?? false;
    });
    live.querySelectorAll(".table-scroll").forEach((element, index) => {
      element.scrollTop = scrolled[index] ?? 0;
    });
    showLocalTitles(live);
    showTimes();
    showCopyButtons(live);
    if (focused) {
      const targets = [...live.querySelectorAll("a, summary, button")];
      const same = targets.find((element) => element.href && element.href === focused.href);
      (same ?? targets[place] ?? live).focus({ preventScroll: true });
    }
  };

  const wait = () => setTimeout(async () => {
    await refresh();
    if (!ended) wait();
  }, EVERY);
  wait();
  document.addEventListener("visibilitychange", refresh);
}
