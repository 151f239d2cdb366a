import { expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { describeEngines } from '../support/engines.ts';

describeEngines('a test database', (open, engine) => {
  it('is fresh each time, and can be opened a second time', async () => {
    const first = await open();
    expect(first.engine).toBe(engine);
    await first.write(['a'], (tx) => tx.deleteFrom('journal').where('seq', '<', 0).execute());
    const again = await openDatabase(first.url);
    expect(await again.db.selectFrom('journal').select('seq').execute()).toEqual([]);
    await again.close();
    const other = await open();
    expect(other.url).not.toBe(first.url);
  });
});
