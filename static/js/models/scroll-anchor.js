/** Change what a scrolling element holds while what is read in it stays where it is. */
export function keepInPlace(scroller, change) {
  const edge = scroller.getBoundingClientRect().top
  const anchor = [...scroller.querySelectorAll("[data-seq]")].find((row) => row.getBoundingClientRect().bottom > edge)
  const before = anchor?.getBoundingClientRect().top
  change()
  if (anchor?.isConnected) scroller.scrollTop += anchor.getBoundingClientRect().top - before
}
