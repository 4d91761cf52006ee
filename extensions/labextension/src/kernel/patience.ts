/**
 * The outcome of a promise, or null once so many milliseconds have passed.
 *
 * Also null where it fails: a request to a kernel that goes away is cancelled, which is no news.
 */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | null> {
  let timer: number | undefined;
  const late = new Promise<null>(resolve => {
    timer = window.setTimeout(() => resolve(null), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } catch {
    return null;
  } finally {
    window.clearTimeout(timer);
  }
}
