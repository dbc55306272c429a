// The keyboard and pointer side of a review page. Answers not yet saved survive a reload in sessionStorage.
"use strict";

const queue = document.getElementById("queue");
const cards = [...document.querySelectorAll(".card")];
const answers = [...document.querySelectorAll("#answers li")].map((li) => ({
  slug: li.dataset.slug, tone: li.dataset.tone, title: li.textContent,
}));
const draftKey = `draft:${location.pathname}:${queue.dataset.reviewer}`;
const flashKey = `flash:${location.pathname}`;
const shownAt = performance.now();
let row = 0;
let isSpaceHeld = false;
let isBusy = false;

function readDraft() {
  try { return JSON.parse(sessionStorage.getItem(draftKey)) || {}; } catch { return {}; }
}

function writeDraft(changes) {
  sessionStorage.setItem(draftKey, JSON.stringify({ ...readDraft(), ...changes }));
}

function paint(card) {
  const answer = answers.find((known) => known.slug === card.dataset.answer);
  card.dataset.tone = answer.tone;
  card.querySelector(".answer").textContent = answer.title;
  card.classList.toggle("changed", card.dataset.answer !== card.dataset.preset);
  card.setAttribute("aria-label", `${answer.title}, card ${cards.indexOf(card) + 1}`);
}

function setAnswer(card, slug) {
  card.dataset.answer = slug;
  paint(card);
}

function nextAnswer(slug) {
  const place = answers.findIndex((known) => known.slug === slug);
  return answers[(place + 1) % answers.length].slug;
}

function toggle(card) {
  setAnswer(card, nextAnswer(card.dataset.answer));
  writeDraft({ [card.dataset.target]: card.dataset.answer });
  tally();
}

function toggleAll() {
  if (!cards.length) return;
  const slug = nextAnswer(cards[0].dataset.answer);
  cards.forEach((card) => setAnswer(card, slug));
  writeDraft(Object.fromEntries(cards.map((card) => [card.dataset.target, slug])));
  tally();
}

function tally() {
  const counts = answers.map((known) => {
    const count = cards.filter((card) => card.dataset.answer === known.slug).length;
    return count ? `${count} ${known.title}` : "";
  });
  document.getElementById("tally").textContent = counts.filter(Boolean).join(" · ");
}

function rowsOfCards() {
  const rows = new Map();
  cards.forEach((card) => {
    const top = card.parentElement.offsetTop;
    rows.set(top, [...(rows.get(top) || []), card]);
  });
  return [...rows.values()];
}

function markRow() {
  const rows = rowsOfCards();
  if (!rows.length) return;
  row = Math.min(Math.max(row, 0), rows.length - 1);
  rows.forEach((members, place) => members.forEach((card, column) => {
    const isMarked = place === row && column < 9;
    card.querySelector(".digit").textContent = isMarked ? column + 1 : "";
  }));
}

function moveRow(step) {
  row += step;
  markRow();
  rowsOfCards()[row]?.[0].scrollIntoView({ block: "nearest" });
}

function toast(text, isError = false) {
  const box = document.getElementById("toast");
  box.textContent = text;
  box.className = isError ? "shown error" : "shown";
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.className = ""; }, isError ? 8000 : 2500);
}

async function post(url, body) {
  const response = await fetch(url, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const content = await response.json();
  if (!response.ok) throw new Error(content.error || JSON.stringify(content.detail || content));
  return content;
}

function show(page, flash) {
  sessionStorage.setItem(flashKey, flash);
  const url = page > 0 ? `${location.pathname}?page=${page}` : location.pathname;
  if (url === location.pathname + location.search) location.reload();
  else location.assign(url);
}

async function once(work) {
  if (isBusy) return;
  isBusy = true;
  queue.classList.add("busy");
  try {
    await work();
  } catch (error) {
    toast(`Not saved: ${error.message}. Your answers are still here; try again.`, true);
    isBusy = false;
    queue.classList.remove("busy");
  }
}

function save() {
  if (!cards.length) return;
  once(async () => {
    const given = cards.map((card) => ({ target_id: card.dataset.target, answer: card.dataset.answer }));
    await post(queue.dataset.save, {
      batch_id: queue.dataset.batch, reviewer: queue.dataset.reviewer, answers: given,
      duration_s: (performance.now() - shownAt) / 1000,
    });
    const draft = readDraft();
    given.forEach((answer) => delete draft[answer.target_id]);
    sessionStorage.setItem(draftKey, JSON.stringify(draft));
    show(Number(queue.dataset.page), `Saved ${given.length} answers. u takes them back.`);
  });
}

function undo() {
  once(async () => {
    const taken = await post(queue.dataset.undo, { reviewer: queue.dataset.reviewer });
    writeDraft(taken.answers);
    const count = Object.keys(taken.answers).length;
    show(taken.page, count ? `Took back ${count} answers.` : "Nothing to take back.");
  });
}

function peek(card) {
  const box = document.getElementById("peek");
  box.hidden = !card;
  if (card) box.querySelector("img").src = card.dataset.large;
}

function pressDigit(digit) {
  const card = rowsOfCards()[row]?.[digit - 1];
  if (!card) return;
  if (isSpaceHeld) peek(card);
  else toggle(card);
}

function holdSpace() {
  if (isSpaceHeld) return;
  isSpaceHeld = true;
  const focused = cards.includes(document.activeElement) ? document.activeElement : null;
  peek(document.querySelector(".card:hover") || focused || rowsOfCards()[row]?.[0]);
}

function toggleHelp() {
  const help = document.getElementById("help");
  if (help.open) help.close(); else help.showModal();
}

const KEYS = {
  Enter: save, u: undo, a: toggleAll, "?": toggleHelp, " ": holdSpace,
  ArrowUp: () => moveRow(-1), ArrowDown: () => moveRow(1),
  ArrowLeft: () => document.getElementById("previous")?.click(),
  ArrowRight: () => document.getElementById("next")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "INPUT") return;
  if (document.getElementById("help").open && event.key !== "?") return;
  const isDigit = /^[1-9]$/.test(event.key);
  if (!isDigit && !KEYS[event.key]) return;
  event.preventDefault(); // a focused button would be clicked by Enter and Space as well
  if (event.repeat) return;
  if (isDigit) pressDigit(Number(event.key)); else KEYS[event.key]();
});
document.addEventListener("keyup", (event) => {
  if (event.key !== " " || event.target.tagName === "INPUT") return;
  event.preventDefault();
  isSpaceHeld = false;
  peek(null);
});
window.addEventListener("blur", () => { isSpaceHeld = false; peek(null); });
window.addEventListener("resize", markRow);

const draft = readDraft();
const known = new Set(answers.map((answer) => answer.slug));
cards.forEach((card) => {
  const kept = draft[card.dataset.target];
  setAnswer(card, known.has(kept) ? kept : card.dataset.preset);
  card.addEventListener("click", () => toggle(card));
});
document.getElementById("save").addEventListener("click", save);
document.getElementById("undo").addEventListener("click", undo);
document.getElementById("all").addEventListener("click", toggleAll);
document.getElementById("help-open").addEventListener("click", toggleHelp);
markRow();
tally();
const flash = sessionStorage.getItem(flashKey);
if (flash) { sessionStorage.removeItem(flashKey); toast(flash); }
queue.dataset.ready = "true";
