/** Defaults that the help shows. They have their own file, so that the help does not load the settings. */
export const apiDefaults = { listen: '127.0.0.1:9003', currency: 'USD' } as const;
