// Run after a change of dependencies where the registry offers only some platforms' builds: adds the optional packages of
// the others to package-lock.json, without which npm 11 calls the lock out of sync and `npm ci` refuses it everywhere.
import { readFileSync, writeFileSync } from 'node:fs';
const file = process.argv[2] ?? 'package-lock.json';
const lock = JSON.parse(readFileSync(file, 'utf8'));
const added = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] || lock.packages[`${path}/${key}`] || !/^\d/.test(version)) continue;
    const platform = name
      .split('/')
      .at(-1)
      .replace(/^(core|binding)-/, '');
    const [os, cpu, abi] = platform.split('-');
    const libc =
      os !== 'linux'
        ? undefined
        : abi?.startsWith('musl')
          ? ['musl']
          : abi?.startsWith('gnu')
            ? ['glibc']
            : undefined;
    const license = entry.license;
    lock.packages[key] = {
      version,
      cpu: [cpu],
      ...(entry.dev ? { dev: true } : {}),
      ...(libc ? { libc } : {}),
      license,
      optional: true,
      os: [os],
      ...(entry.engines ? { engines: entry.engines } : {}),
    };
    added.push(`${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
);
writeFileSync(file, JSON.stringify(lock, null, 2) + '\n');
console.log(added.length, added.join(' '));
