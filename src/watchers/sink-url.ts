import { BlockList, isIP } from 'node:net';
import { problemOfText } from '../domain/plain-text.ts';
import { shortHash } from '../domain/random.ts';

/** Longer ones are cut off somewhere on their way. */
const LONGEST_URL = 2_048;

/** Where a cloud talks to its machines, and tells them their credentials: nobody receives events there. */
const CLOUDS_OWN = new BlockList();
CLOUDS_OWN.addSubnet('169.254.0.0', 16, 'ipv4');
CLOUDS_OWN.addSubnet('fe80::', 10, 'ipv6');
CLOUDS_OWN.addAddress('168.63.129.16', 'ipv4');
CLOUDS_OWN.addAddress('fd00:ec2::254', 'ipv6');

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** True for an address that no event is ever sent to. */
export function isRefusedAddress(address: string): boolean {
  return isIn(CLOUDS_OWN, address);
}

/**
 * What is wrong with a URL to send events to, in words that may follow it; null if nothing is. What its host's name stands for is
 * looked at when something is sent.
 */
export function problemOfSinkUrl(text: string, { allowHttp }: { allowHttp: boolean }): string | null {
  const problem = problemOfText(text, LONGEST_URL);
  if (problem !== null) return problem;
  if (!URL.canParse(text)) return 'is no URL: give one such as https://hooks.example/rollouts';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'is not of https: give one that is';
  if (url.username !== '' || url.password !== '') {
    return 'holds a user or a password: leave them out, the receiver knows us by the signature';
  }
  if (url.hash !== '') return 'has a fragment, which is never sent: leave it out';
  const host = hostOf(url);
  if (isRefusedAddress(host)) return "is of an address of the cloud's own, to which nothing is sent";
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(host)) {
    return 'is not encrypted: give https, or --allow-http if the network in between is yours';
  }
  return null;
}

/** The URL without what may be a secret in it: in place of a query what tells it from another. */
export function shownUrl(text: string): string {
  const { origin, pathname, search } = new URL(text);
  return `${origin}${pathname}${search === '' ? '' : `?(token ${shortHash(search).slice(0, 8)})`}`;
}

/** Its name or address, an IPv6 one without brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || isIn(LOOPBACK, host);
}

function isIn(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}
