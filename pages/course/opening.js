// The button to another step is far down the page, and its question at the top. The title gets the focus,
// so that a screen reader says which step has opened, and the next Tab leads to its guess.

export default ({ data: { step } }) => {
  const before = window.goodInitStep;
  window.goodInitStep = step;
  if (before === undefined || before === step) return;
  const title = document.querySelector(".gi-step h1");
  document.querySelector('[data-testid="stMain"]').scrollTop = 0;
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
};
