/* An id that the page itself writes into its address is no place that somebody went to: without this, each page would be two of the
   browser's entries, the address without the id and with it, and Back would have to be pressed twice. Streamlit pushes an entry for
   every change of the query, and for a new page sometimes the query first and the path after it. */
if (!window.playgroundBack) {
  window.playgroundBack = true;
  const push = history.pushState.bind(history);
  let left = null; // where the browser was before the query was replaced, until the path follows
  const rest = (url) => {
    const query = new URLSearchParams(url.search);
    for (const id of ["draft", "run", "compare", ...(url.pathname.endsWith("/presets") ? [] : ["preset"])]) query.delete(id);
    return query.toString();
  };
  addEventListener("popstate", () => { left = null; });
  history.pushState = (state, unused, address) => {
    const now = new URL(location.href), next = new URL(address ?? "", now);
    if (next.pathname === now.pathname && rest(next) === rest(now)) {
      left ??= { from: now.href };
      left.search = next.search;
      return history.replaceState(state, unused, address);
    }
    if (left && next.pathname !== now.pathname && next.search === left.search) history.replaceState(history.state, "", left.from);
    left = null;
    return push(state, unused, address);
  };
}
