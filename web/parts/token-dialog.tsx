import { useState } from 'preact/hooks';
import { storedToken } from '../ask';
import { Dialog } from './dialog';

interface TokenDialogProps {
  readonly onToken: (token: string) => void;
  readonly onCancel: () => void;
}

/** Asks for the operator token. */
export function TokenDialog({ onToken, onCancel }: TokenDialogProps) {
  const [token, setToken] = useState(storedToken);
  return (
    <Dialog title="Operator token" confirm="Use token" onCancel={onCancel} onConfirm={() => onToken(token)}>
      <p>
        The value of the setting api.token, or a read token, with which you cannot change anything. It is kept
        until you close this tab.
      </p>
      <label class="control">
        <span>Token</span>
        <input
          type="password"
          autocomplete="off"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value.trim())}
        />
      </label>
    </Dialog>
  );
}
