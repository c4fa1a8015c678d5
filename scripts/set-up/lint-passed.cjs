'use strict';

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

/** Files on which the result of eslint depends: code, types and configuration, including the versions of packages. */
const LINT_INPUT = /\.([cm]?[jt]s|tsx|json)$/;
/**
 * Folders whose files do not matter: eslint's configuration ignores them. For the packages in `node_modules`, it is
 * enough to read package-lock.json.
 */
const IGNORED = ['node_modules', 'lib', 'dist', 'coverage', 'test/golden', 'test/histories'];

/**
 * Remembers that eslint found nothing, so that eslint need not run again while no file has changed. The cache of eslint
 * itself would not be correct: some rules depend on types, so a change in one file can cause a finding in another.
 *
 * @param {string} root folder of the project
 * @param {string} memo file that remembers the files for which eslint passed
 * @returns {{ passed: boolean, remember: () => void }} `passed`: whether eslint passed for the files as they are now.
 *   `remember` notes that eslint passed for the files as they were at the time of this call.
 */
function lintMemo(root, memo) {
  const files = digestOf(root);
  return {
    passed: fs.existsSync(memo) && fs.readFileSync(memo, 'utf8') === files,
    remember() {
      fs.mkdirSync(path.dirname(memo), { recursive: true });
      fs.writeFileSync(memo, files);
    },
  };
}

/** Returns a SHA-256 over the names and bytes of all files that eslint depends on, and over the version of Node. */
function digestOf(root) {
  const hash = createHash('sha256').update(process.version);
  const visit = (folder) => {
    const entries = fs.readdirSync(path.join(root, folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!IGNORED.includes(name) && !entry.name.startsWith('.')) visit(name);
      } else if (LINT_INPUT.test(entry.name)) {
        hash.update(`\0${name}\0`).update(fs.readFileSync(path.join(root, name)));
      }
    }
  };
  visit('');
  return hash.digest('hex');
}

module.exports = { lintMemo };
