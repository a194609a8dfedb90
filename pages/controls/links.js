// Gives the link beside this component the address that a new tab opens, and keeps it when Streamlit
// draws the link anew. A click with a modifier is the browser's: Streamlit would leave the page.

const isForAnotherTab = ({ ctrlKey, metaKey, shiftKey }) => ctrlKey || metaKey || shiftKey;

export default function address({ data: { href }, parentElement }) {
  const box = parentElement.closest('[class*="st-key-to_explore_"]');
  const mend = () => {
    const link = box.querySelector("a");
    if (link && link.getAttribute("href") !== href) link.setAttribute("href", href);
  };
  const leaveAlone = (event) => { if (isForAnotherTab(event)) event.stopPropagation(); };
  const seen = new MutationObserver(mend);
  seen.observe(box, { subtree: true, childList: true, attributeFilter: ["href"] });
  box.addEventListener("click", leaveAlone, true);
  mend();
  return () => {
    seen.disconnect();
    box.removeEventListener("click", leaveAlone, true);
  };
}
