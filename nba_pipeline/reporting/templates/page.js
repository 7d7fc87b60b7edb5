(() => {
  const table = document.querySelector("table.prices");
  if (!table) return;
  const form = document.querySelector("form.filters");
  const more = document.getElementById("more");
  const count = form.querySelector("output");
  const rows = [...table.tBodies].map((body) => ({ body, data: body.dataset, text: body.textContent.toLowerCase() }));
  const first = window.matchMedia("(max-width: 560px)").matches ? 12 : 30;
  let all = false;

  const field = (name) => form.elements.namedItem(name).value.trim();
  const matches = ({ data, text, body }) => {
    for (const name of ["game", "team", "market", "side"]) if (field(name) && data[name] !== field(name)) return false;
    if (form.elements.namedItem("call").checked && !body.classList.contains("called")) return false;
    const least = field("value");
    if (least !== "" && !(data.value !== "" && Number(data.value) * 100 >= Number(least))) return false;
    return field("find").toLowerCase().split(/\s+/).every((word) => text.includes(word));
  };
  const show = () => {
    let shown = 0;
    for (const row of rows) {
      const fits = matches(row);
      row.body.hidden = !fits;
      if (fits) shown += 1;
      row.body.classList.toggle("beyond", fits && !all && shown > first);
    }
    count.textContent = `${shown} of ${rows.length}`;
    more.hidden = all || shown <= first;
    more.textContent = `Show all ${shown}`;
  };
  const sort = (button) => {
    const key = button.dataset.sort;
    const head = button.closest("th");
    const now = head.getAttribute("aria-sort");
    const up = now ? now === "descending" : button.dataset.first === "up";
    for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const words = key === "player" || key === "market";
    rows.sort((a, b) => {
      const x = a.data[key], y = b.data[key];
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = words ? x.localeCompare(y) : Number(x) - Number(y);
      return up ? order : -order;
    });
    table.append(...rows.map((row) => row.body));
    show();
  };
  const toggle = (button, open = button.getAttribute("aria-expanded") !== "true") => {
    button.setAttribute("aria-expanded", String(open));
    button.closest("tbody").classList.toggle("open", open);
  };

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => { all = true; show(); });
  table.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button && button.dataset.sort) return sort(button);
    const row = event.target.closest("tbody > tr");
    if (row && !row.classList.contains("detail")) toggle(row.querySelector(".opener"));
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing) { event.preventDefault(); form.elements.namedItem("find").focus(); return; }
    const body = event.target.closest("tbody.f");
    if (!body) return;
    if (event.key === "Escape") { const opener = body.querySelector(".opener"); toggle(opener, false); opener.focus(); }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const seen = rows.filter((row) => !row.body.hidden && !row.body.classList.contains("beyond"));
    const next = seen[seen.findIndex((row) => row.body === body) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) { event.preventDefault(); next.body.querySelector(".opener").focus(); }
  });
  show();
})();
