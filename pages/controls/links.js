// Gives the link beside this component the address that a new tab opens, and keeps it when Streamlit
// draws the link anew. A click with a modifier is the browser's: Streamlit would leave the page.

const isForAnotherTab = ({ ctrlKey, metaKey, shiftKey }) => ctrlKey || metaKey || shiftKey;

// One watch for each box, however often the address changes: two would undo each other's for ever.
function watch(box) {
  const mend = () => {
    const link = box.querySelector("a");
    if (link && link.getAttribute("href") !== box.goodInitHref) link.setAttribute("href", box.goodInitHref);
  };
  new MutationObserver(mend).observe(box, { subtree: true, childList: true, attributeFilter: ["href"] });
  box.addEventListener("click", (event) => isForAnotherTab(event) && event.stopPropagation(), true);
  return mend;
}

export default function address({ data: { href }, parentElement }) {
  const box = parentElement.closest('[class*="st-key-to_explore_"]');
  box.goodInitHref = href;
  box.goodInitMend ??= watch(box);
  box.goodInitMend();
}
