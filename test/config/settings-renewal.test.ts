import { loadSettings } from '../../config/settings';
import { SettingsRenewal } from '../../config/settings-renewal';
import { mountFile } from '../storage/mounted-file';
import { removeTemporaryFolders, temporaryFolder } from '../storage/temporary-folder';

afterAll(removeTemporaryFolders);

it('a mounted settings file with another token is followed, unless it cannot be used', () => {
  const text = (token: string, namespace = 'default') =>
    `clusterId: cluster-1\ntemporal: { namespace: ${namespace} }\napi: { token: ${token} }\n`;
  const file = mountFile(temporaryFolder(), 'federated-etl.yaml', text('one'));
  const lines: string[] = [];
  const note = ({ event }: object & { event?: string }) => void lines.push(event ?? '');
  const log = { info: note, warn: note } as unknown as ConstructorParameters<typeof SettingsRenewal>[1];
  const read = () => loadSettings({ file: file.path, env: {} });
  const renewal = new SettingsRenewal(read(), log, read);
  const after = (content: string) => {
    file.write(content);
    renewal.look();
    renewal.look();
    return [renewal.token, renewal.temporal.namespace, ...lines.splice(0)];
  };
  expect(after(text('one'))).toEqual(['one', 'default']);
  expect(after(text('two'))).toEqual(['two', 'default', 'settings.renewed']);
  expect(after('clusterId: cluster-1\napi: { token: thr')).toEqual([
    'two',
    'default',
    'settings.not-renewed',
  ]);
  // An empty file is valid YAML, but must be refused, because it has no cluster id.
  expect(after('')).toEqual(['two', 'default', 'settings.not-renewed']);
  expect(after(text('three'))).toEqual(['three', 'default', 'settings.renewed']);
  expect(after(text('three', 'other'))).toEqual(['three', 'default', 'settings.not-renewed']);
});
