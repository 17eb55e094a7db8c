/** How an operation of the kernel can fail. */

/** Error numbers of system calls, by name. */
export type Errno = 'EPERM' | 'ENOENT' | 'EBADF' | 'EAGAIN' | 'ENOMEM' | 'EFAULT' | 'EBUSY' | 'EEXIST' | 'EINVAL' | 'EOPNOTSUPP' | 'ENXIO'

/** What the fault handler reports; it becomes a signal or an error number, as the caller has it. */
export type VmFault = 'VM_FAULT_SIGBUS' | 'VM_FAULT_SIGSEGV'
/** It has let go of mmap_lock to wait, and is to be made again. */
export type Retry = 'VM_FAULT_RETRY'
/** No 2 MiB can be had: a small page is tried. */
export type Fallback = 'VM_FAULT_FALLBACK'

/** Why `do_user_addr_fault()` sends SIGSEGV. */
export type SegvCode = 'SEGV_MAPERR' | 'SEGV_ACCERR'

/** The process ends: nothing that it would have done is done. */
export type Ended = 'EXITED'
/** The kernel dies, in a function of this name. */
export type Oops = `oops: ${string}`

export type Failure = Errno | VmFault | Retry | Fallback | SegvCode | Ended | Oops

export const isOops = (failure: Failure | null): failure is Oops => failure !== null && failure.startsWith('oops: ')
/** Why it dies there: a bug of its own, which the model repeats. */
const CAUSES: Readonly<Record<string, string>> = {
  move_ptes: '`mremap()` takes a 2 MiB entry of a file on DAX for a table, and the first word of the file becomes a page table entry',
  hmm_range_fault: 'a driver has it walk the memory of a process that has ended',
  handle_mm_fault: 'hmm_range_fault() faults a page in that is in no area: it hands on a null pointer',
  dmirror_do_read: 'the test driver reads a private page of its own device, which no CPU has a mapping of',
  dmirror_fops_unlocked_ioctl: 'the test driver writes a private page of its own device, which no CPU has a mapping of',
  dmirror_devmem_fault: 'the test driver is given a page that is free, or that a file which is closed has put there',
  do_numa_page: 'memory that nobody may access is taken for a NUMA hint, when a debugger makes it fault',
  do_huge_pmd_numa_page: 'memory that nobody may access is taken for a NUMA hint, when a debugger makes it fault',
  follow_trans_huge_pmd: 'a 2 MiB entry of DAX memory is taken for one of a large page, and there is no page',
  gup_huge_pmd: 'a 2 MiB entry of DAX memory is taken for one of a large page, and there is no page',
}
export const causeOf = (where: string): string => CAUSES[where] ?? 'a bug of the kernel itself'
export const whereOf = (oops: Oops): string => oops.slice('oops: '.length)

/** A signal that a load or a store ends in: its name and `si_code`. */
export interface Signal {
  readonly sig: 'SEGV' | 'BUS'
  readonly code: number
}

const signals: Readonly<Record<VmFault | SegvCode, Signal>> = {
  SEGV_MAPERR: { sig: 'SEGV', code: 1 },
  SEGV_ACCERR: { sig: 'SEGV', code: 2 },
  VM_FAULT_SIGSEGV: { sig: 'SEGV', code: 1 },
  VM_FAULT_SIGBUS: { sig: 'BUS', code: 2 },
}

/** The signal that a fault which failed so ends in. */
export function signalOf(failure: Failure): Signal {
  if (failure in signals) return signals[failure as keyof typeof signals]
  throw new Error(`a page fault failed with ${failure}, for which there is no signal`)
}
