import { nearestName } from '../../errors/nearest-name';

describe('The nearest name', () => {
  it('is the one with the fewest characters to change, wherever it is in the list', () => {
    expect(nearestName('widnow', ['aggregate', 'window', 'step'])).toEqual({ name: 'window', far: 2 });
    expect(nearestName('window', ['window', 'windows'])).toEqual({ name: 'window', far: 0 });
  });

  it('is the first of several that are equally near', () => {
    expect(nearestName('cat', ['bat', 'hat'])).toEqual({ name: 'bat', far: 1 });
  });

  it('counts case', () => {
    expect(nearestName('STEP', ['step'])?.far).toBe(4);
  });

  it('is undefined if no name is known', () => {
    expect(nearestName('step', [])).toBeUndefined();
  });
});
