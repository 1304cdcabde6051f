"use strict";
const list = document.getElementById("pairs");
const sort = document.getElementById("sort");
if (list && sort) {
  sort.addEventListener("change", () => {
    const [key, direction] = sort.value.split(":");
    const value = (item) => (key === "name" ? item.dataset.name : Number(item.dataset[key]));
    const items = Array.from(list.children);
    items.sort((one, other) => {
      const a = value(one);
      const b = value(other);
      return direction * (a < b ? -1 : a > b ? 1 : 0);
    });
    list.append(...items);
  });
}
