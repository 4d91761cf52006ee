// Makes a component of a core module that has the world's functions by their canonical names:
// what `wasm-tools component embed` and `wasm-tools component new` do, from the same source.
//
// node make_component.mjs WIT WORLD CORE COMPONENT

import { readFileSync, writeFileSync } from 'node:fs';
import { componentEmbed, componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';

const [wit, world, core, component] = process.argv.slice(2);
const embedded = await componentEmbed({
  binary: readFileSync(core),
  witSource: readFileSync(wit, 'utf8'),
  world,
  stringEncoding: 'utf8',
});
writeFileSync(component, await componentNew(embedded, []));
