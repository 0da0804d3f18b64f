// The page in its simplest form: the components of the feed, as they come.
import { follow } from "./feed.js";

const base = document.documentElement.dataset.base;
const rows = document.getElementById("rows");
const said = document.getElementById("said");
const shown = new Map();

function row(component) {
  let tr = shown.get(component.name);
  if (!tr) {
    tr = rows.insertRow();
    tr.dataset.component = component.name;
    for (let i = 0; i < 4; i++) tr.insertCell();
    shown.set(component.name, tr);
  }
  const inside = component.ledger ? component.ledger.inside : "";
  [component.name, component.state, component.health, inside].forEach((text, i) => (tr.cells[i].textContent = text));
}

function take(event, data) {
  if (event === "hello") {
    document.title = data.name;
  } else if (event === "picture") {
    document.body.dataset.state = data.state;
    said.textContent = data.state;
    if (data.full) {
      rows.replaceChildren();
      shown.clear();
    }
    data.components.forEach(row);
    (data.gone || []).forEach((name) => shown.get(name)?.remove());
  }
}

for (;;) {
  try {
    await follow(base + "/feed", take);
  } catch (error) {
    said.textContent = error.message;
  }
  document.body.dataset.state = "reconnecting";
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
