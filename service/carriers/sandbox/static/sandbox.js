// Fetches what is new and puts it in place. The page works without this.
"use strict";

const PAUSE_MS = 1500;
const SHOWN = ["patients", "now", "texts", "letters", "answers"];
const FIELDS = ["body", "reply"];
const toggle = document.getElementById("live-switch");
const news = document.getElementById("news");
let live = sessionStorage.getItem("live") !== "off";
let tag = "";

function atEnd(log) {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 40;
}

// Texts from their end; of answers by mail the last one from its beginning.
function toEnd(log) {
  const last = log.id === "answers" && log.querySelector("li.mine:last-child");
  log.scrollTop = last ? last.offsetTop - 8 : log.scrollHeight;
}

function put(id, fresh) {
  const old = document.getElementById(id);
  if (!old || !fresh || old.innerHTML.trim() === fresh.innerHTML.trim()) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const follow = id === "answers" || (id === "texts" && atEnd(old));
  old.replaceChildren(...fresh.childNodes);
  if (follow) toEnd(old);
  if (focused) {
    const again = [...old.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused);
    if (again) again.focus();
  }
  if (id === "letters") news.textContent = "The mailbox has changed.";
}

async function look() {
  const answer = await fetch("/live" + location.search, { headers: tag ? { "If-None-Match": tag } : {} });
  if (answer.status !== 200) return;
  tag = answer.headers.get("ETag") || "";
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const typing = FIELDS.some((id) => document.getElementById(id)?.value);
  const first = (id, here) => !document.querySelector(here) && fresh.querySelector(`#${id} a`);
  if (!typing && (first("patients", "#patients a") || first("letters", ".letter"))) {
    location.reload(); // somebody's first: there is more to show than a list
    return;
  }
  for (const id of SHOWN) put(id, fresh.getElementById(id));
}

async function watch() {
  if (live && !document.hidden) {
    try {
      await look();
    } catch {
      // The sandbox is away; look again later.
    }
  }
  setTimeout(watch, PAUSE_MS);
}

function show() {
  toggle.dataset.live = live ? "on" : "off";
  toggle.textContent = live ? "Live updates: on" : "Live updates: off";
}

toggle.hidden = false;
document.getElementById("refresh").hidden = true;
toggle.addEventListener("click", () => {
  live = !live;
  sessionStorage.setItem("live", live ? "on" : "off");
  show();
});
show();
for (const id of ["texts", "answers"]) {
  const log = document.getElementById(id);
  if (log) toEnd(log);
}
// Sending loads the page again: go on where one wrote.
for (const id of FIELDS) {
  const field = document.getElementById(id);
  if (!field) continue;
  field.form.addEventListener("submit", () => sessionStorage.setItem("wrote", id));
  if (sessionStorage.getItem("wrote") === id) field.focus({ preventScroll: true });
  field.addEventListener("keydown", (press) => {
    if (id === "reply" && press.key === "Enter" && (press.ctrlKey || press.metaKey)) field.form.requestSubmit();
  });
}
sessionStorage.removeItem("wrote");
setTimeout(watch, PAUSE_MS);
