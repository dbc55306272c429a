// The keyboard and pointer side of a review page. Answers not yet saved survive a reload in sessionStorage.
// Two layouts: in a `grid` a digit toggles a card of the marked row; in a `list` it answers the marked card.
"use strict";

const queue = document.getElementById("queue");
const isList = queue.dataset.layout === "list";
const cards = [...document.querySelectorAll(".card")];
const answers = [...document.querySelectorAll("#answers li")].map((li) => ({
  slug: li.dataset.slug, tone: li.dataset.tone, title: li.textContent,
}));
const draftKey = `draft:${location.pathname}:${queue.dataset.reviewer}`;
const flashKey = `flash:${location.pathname}`;
const shownAt = performance.now();
let marked = 0; // row of a grid, card of a list
let isSpaceHeld = false;
let isBusy = false;

function readDraft() {
  try { return JSON.parse(sessionStorage.getItem(draftKey)) || {}; } catch { return {}; }
}

function writeDraft(changes) {
  sessionStorage.setItem(draftKey, JSON.stringify({ ...readDraft(), ...changes }));
}

// ---- answers of one card -------------------------------------------------------------------------------------

function turnOf(slug) { return Number(slug.match(/_turn_(\d+)$/)?.[1] || 0); }

function plain(slug) { return slug.replace(/_turn_\d+$/, ""); }

function isOffered(card, slug) {
  if (!isList) return answers.some((known) => known.slug === slug);
  return [...card.querySelectorAll(".choice")].some((choice) => choice.dataset.slug === plain(slug));
}

function paintGridCard(card) {
  const answer = answers.find((known) => known.slug === card.dataset.answer);
  card.dataset.tone = answer.tone;
  card.querySelector(".answer").textContent = answer.title;
  card.setAttribute("aria-label", `${answer.title}, card ${cards.indexOf(card) + 1}`);
}

function paintListCard(card) {
  const slug = plain(card.dataset.answer);
  card.dataset.tone = "";
  card.querySelectorAll(".choice").forEach((choice) => {
    const isChosen = choice.dataset.slug === slug;
    choice.setAttribute("aria-pressed", isChosen);
    if (isChosen) card.dataset.tone = choice.dataset.tone;
  });
  card.querySelectorAll(".box").forEach((box) => box.classList.toggle("chosen", box.dataset.slug === slug));
  const turn = Number(card.dataset.turn || 0) + turnOf(card.dataset.answer);
  card.querySelectorAll("figure:not(.difference) .frame").forEach((frame) => {
    frame.style.rotate = `${-turn}deg`; // ours count counter-clockwise
    frame.querySelectorAll(".box b").forEach((number) => { number.style.rotate = `${turn}deg`; });
  });
}

function setAnswer(card, slug) {
  card.dataset.answer = slug;
  if (isList) paintListCard(card); else paintGridCard(card);
  card.classList.toggle("changed", card.dataset.answer !== card.dataset.preset);
}

function answerCard(card, slug) {
  setAnswer(card, slug);
  writeDraft({ [card.dataset.target]: slug });
  tally();
}

function nextAnswer(slug) {
  const place = answers.findIndex((known) => known.slug === slug);
  return answers[(place + 1) % answers.length].slug;
}

function toggle(card) { answerCard(card, nextAnswer(card.dataset.answer)); }

function toggleAll() {
  if (!cards.length || isList) return;
  const slug = nextAnswer(cards[0].dataset.answer);
  cards.forEach((card) => setAnswer(card, slug));
  writeDraft(Object.fromEntries(cards.map((card) => [card.dataset.target, slug])));
  tally();
}

function choose(card, slug) {
  const turn = turnOf(card.dataset.answer);
  const hasTurn = turn && card.querySelector(`.box[data-slug="${CSS.escape(slug)}"]`);
  answerCard(card, hasTurn ? `${slug}_turn_${turn}` : slug);
}

function turnMarked() {
  const card = cards[marked];
  const first = card?.querySelector(".box");
  if (!first) return;
  const hasFace = card.querySelector(".box.chosen");
  const slug = hasFace ? plain(card.dataset.answer) : first.dataset.slug;
  const turn = (turnOf(card.dataset.answer) + 90) % 360;
  answerCard(card, turn ? `${slug}_turn_${turn}` : slug);
}

function tally() {
  const given = cards.filter((card) => card.dataset.answer);
  let text = "";
  if (isList) {
    text = cards.length ? `${given.length} of ${cards.length}` : "";
  } else {
    text = answers.map((known) => {
      const count = given.filter((card) => card.dataset.answer === known.slug).length;
      return count ? `${count} ${known.title}` : "";
    }).filter(Boolean).join(" · ");
  }
  document.getElementById("tally").textContent = text;
}

// ---- where one is ----------------------------------------------------------------------------------------------

function rowsOfCards() {
  if (isList) return cards.map((card) => [card]);
  const rows = new Map();
  cards.forEach((card) => {
    const top = card.parentElement.offsetTop;
    rows.set(top, [...(rows.get(top) || []), card]);
  });
  return [...rows.values()];
}

function mark() {
  const rows = rowsOfCards();
  if (!rows.length) return;
  marked = Math.min(Math.max(marked, 0), rows.length - 1);
  if (isList) {
    cards.forEach((card, place) => card.classList.toggle("marked", place === marked));
    return;
  }
  rows.forEach((members, place) => members.forEach((card, column) => {
    card.querySelector(".digit").textContent = place === marked && column < 9 ? column + 1 : "";
  }));
}

function move(step) {
  marked += step;
  mark();
  rowsOfCards()[marked]?.[0].scrollIntoView({ block: "nearest" });
}

// ---- talking to the server -------------------------------------------------------------------------------------

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
  const query = new URLSearchParams(location.search);
  const isSettling = query.has("settle");
  const wanted = new URLSearchParams({ ...(page > 0 && { page }), ...(isSettling && { settle: 1 }) }).toString();
  const url = location.pathname + (wanted && `?${wanted}`);
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
  const given = cards.filter((card) => card.dataset.answer)
    .map((card) => ({ target_id: card.dataset.target, answer: card.dataset.answer }));
  if (!given.length) {
    if (cards.length) toast("Nothing is answered on this page yet.");
    return;
  }
  once(async () => {
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

// ---- looking closer --------------------------------------------------------------------------------------------

function largeOf(element) {
  return element?.dataset?.large || element?.querySelector?.("[data-large]")?.dataset.large || "";
}

function peek(element) {
  const box = document.getElementById("peek");
  const url = largeOf(element);
  box.hidden = !url;
  if (url) box.querySelector("img").src = url;
}

function holdSpace() {
  if (isSpaceHeld) return;
  isSpaceHeld = true;
  const focused = cards.includes(document.activeElement) ? document.activeElement : null;
  peek(document.querySelector("[data-large]:hover") || focused || rowsOfCards()[marked]?.[0]);
}

function toggleDifference() { queue.classList.toggle("differing"); }

function toggleHelp() {
  const help = document.getElementById("help");
  if (help.open) help.close(); else help.showModal();
}

function pressDigit(digit) {
  if (isList) {
    const choice = cards[marked]?.querySelectorAll(".choice")[digit - 1];
    if (!choice) return;
    choose(cards[marked], choice.dataset.slug);
    move(1);
    return;
  }
  const card = rowsOfCards()[marked]?.[digit - 1];
  if (!card) return;
  if (isSpaceHeld) peek(card);
  else toggle(card);
}

const KEYS = {
  Enter: save, u: undo, a: toggleAll, d: toggleDifference, t: turnMarked, "?": toggleHelp, " ": holdSpace,
  ArrowUp: () => move(-1), ArrowDown: () => move(1),
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
window.addEventListener("resize", mark);

function listen(card, place) {
  if (!isList) {
    card.addEventListener("click", () => toggle(card));
    return;
  }
  card.addEventListener("click", () => { marked = place; mark(); });
  card.querySelectorAll(".choice, .box").forEach((part) => {
    part.addEventListener("click", () => choose(card, part.dataset.slug));
  });
  card.querySelectorAll(".box").forEach((box) => {
    const [x0, y0, x1, y1] = box.dataset.box.split(",").map(Number);
    const share = { left: x0, top: y0, width: x1 - x0, height: y1 - y0 };
    Object.entries(share).forEach(([side, value]) => { box.style[side] = `${100 * value}%`; });
  });
}

const draft = readDraft();
cards.forEach((card, place) => {
  const kept = draft[card.dataset.target];
  setAnswer(card, kept && isOffered(card, kept) ? kept : card.dataset.preset);
  listen(card, place);
});
const CLICKS = { save, undo, all: toggleAll, difference: toggleDifference, turn: turnMarked, "help-open": toggleHelp };
Object.entries(CLICKS).forEach(([id, work]) => document.getElementById(id)?.addEventListener("click", work));
mark();
tally();
const flash = sessionStorage.getItem(flashKey);
if (flash) { sessionStorage.removeItem(flashKey); toast(flash); }
queue.dataset.ready = "true";
