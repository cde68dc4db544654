/** Where commands of the host are found: fixed, since a root daemon must not run what its caller's PATH names. */
export const HOST_PATH = '/run/wrappers/bin:/run/current-system/sw/bin:/usr/sbin:/usr/bin:/sbin:/bin'
