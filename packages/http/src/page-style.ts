/** The one style of our pages. Its hash stands in their policy, so it is inlined exactly as it is here. */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #1c2230; --soft: #5b6475; --line: #dfe3ea; --paper: #fff; --tint: #f5f7fa; --link: #0b57d0;
  --get: #0b6b3a; --post: #0b57d0; --put: #8a5a00; --patch: #8a5a00; --delete: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #a3acbb; --line: #313845; --paper: #12161d; --tint: #1a202a; --link: #8ab4f8;
  --get: #6dd58c; --post: #8ab4f8; --put: #fdd663; --patch: #fdd663; --delete: #f2b8b5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.25rem 5rem; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; } h3 { font-size: .85rem; margin: 1.25rem 0 .4rem; color: var(--soft); text-transform: uppercase; letter-spacing: .04em; }
p { margin: .4rem 0; } a { color: var(--link); } code, pre { font: .875em/1.5 ui-monospace, monospace; } .soft { color: var(--soft); }
nav ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; background: var(--paper); } details[open] > summary { border-bottom: 1px solid var(--line); }
summary { cursor: pointer; padding: .6rem .9rem; display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; } summary:hover { background: var(--tint); border-radius: .5rem; }
summary .soft { margin-left: auto; } details > div { padding: .4rem .9rem 1rem; }
.method { font: 700 .8rem ui-monospace, monospace; min-width: 4.2rem; } .get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); } .patch { color: var(--patch); } .delete { color: var(--delete); }
table { width: 100%; border-collapse: collapse; font-size: .92rem; } th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; } th { color: var(--soft); font-weight: 600; }
td:first-child { white-space: nowrap; } pre { background: var(--tint); border-radius: .4rem; padding: .7rem .9rem; overflow-x: auto; margin: .4rem 0; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
`;
