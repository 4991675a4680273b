// Extras only: every page does its whole work without this file.
"use strict";

// What is wrong is read out first.
document.querySelector("[data-focus]")?.focus();

// A form that leads to Stripe is sent once. aria-disabled, unlike disabled, keeps the focus where it is.
let leaving = false;

function setBusy(button, busy) {
  button.dataset.label ??= button.textContent;
  button.textContent = busy ? button.dataset.busy : button.dataset.label;
  button.nextElementSibling.textContent = busy ? button.dataset.busy : "";
  if (busy) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
}

function arrive() {
  leaving = false;
  document.querySelectorAll("[data-busy]").forEach((button) => setBusy(button, false));
}

document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("[data-busy]");
  if (!button || event.submitter?.name === "language") return;
  if (leaving) return event.preventDefault();
  leaving = true;
  setBusy(button, true);
  setTimeout(arrive, 30000); // whoever stopped the page from loading may try again
});

addEventListener("pageshow", (event) => {
  if (event.persisted) arrive(); // back from Stripe: the browser kept the page as it was left
});

// Subject keys come and go without a round trip.
function makeButton(label, look) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = `button ${look}`;
  button.textContent = label;
  return button;
}

for (const list of document.querySelectorAll("[data-rows]")) {
  const rows = list.getElementsByClassName("row");
  let next = rows.length; // ids are never used twice, so that links to errors stay right

  const renumber = () => {
    [...rows].forEach((row, index) => {
      row.querySelector("[data-number]").textContent = index + 1;
      const remover = row.querySelector("button");
      remover.setAttribute("aria-label", list.dataset.removeNumber.replace("#", index + 1));
      remover.hidden = rows.length === 1;
    });
  };

  const remove = (row) => {
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    renumber();
    neighbour.querySelector("input").focus();
  };

  const furnish = (row) => {
    const remover = makeButton(list.dataset.remove, "quiet");
    remover.addEventListener("click", () => remove(row));
    row.querySelector("input").after(remover);
  };

  const adder = makeButton(list.dataset.add, "secondary");
  adder.addEventListener("click", () => {
    const row = rows[0].cloneNode(true);
    const input = row.querySelector("input");
    row.querySelector(".field-error")?.remove();
    row.querySelector("button").remove();
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
    input.value = "";
    input.id = `${input.name}-${next++}`;
    row.querySelector("label").htmlFor = input.id;
    list.append(row);
    furnish(row);
    renumber();
    input.focus();
  });

  [...rows].forEach(furnish);
  renumber();
  list.after(adder);
}

// A link counts as opened when there is a person. Programs that look into mails fetch the page too, and some
// of them run scripts and even scroll; what only a hand does, they seldom do.
const link = document.querySelector("[data-opened]");
if (link) {
  const signs = ["pointerdown", "pointermove", "keydown", "touchstart", "wheel"];
  const note = (event) => {
    if (!event.isTrusted) return;
    signs.forEach((sign) => removeEventListener(sign, note, true));
    navigator.sendBeacon(link.dataset.opened, new URLSearchParams(new FormData(link)));
  };
  signs.forEach((sign) => addEventListener(sign, note, { capture: true, passive: true }));
}

// A page with nothing left to do leads on to the company's app. What people do with the page stops it.
const leave = document.querySelector("[data-leave]");
if (leave) {
  const timer = setTimeout(() => location.assign(leave.href), leave.dataset.leave * 1000);
  ["pointerdown", "keydown", "wheel"].forEach((sign) =>
    addEventListener(sign, () => clearTimeout(timer), { once: true, passive: true }),
  );
}

// A page that waits for a bank looks again. Without scripts a meta element does this; here it also
// leaves alone a page that is in the background or on its way to Stripe.
const waiting = document.querySelector("[data-refresh]");
if (waiting) {
  const again = () => {
    if (document.hidden) document.addEventListener("visibilitychange", again, { once: true });
    else if (!leaving) location.replace(waiting.dataset.url);
  };
  setTimeout(again, waiting.dataset.refresh * 1000);
}
