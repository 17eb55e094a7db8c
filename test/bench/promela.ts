/** The abstract mirror for Spin: two GPUs, two CPUs, two invalidations each, and the property as an assertion. */
export const PROMELA = `
byte pte = 1, nfree = 2, act = 0;
byte dev[2], sq[2]; bool lck[2];
proctype gpu(byte g) { byte snap, pfn;
begin: atomic { act == 0 -> snap = sq[g] };
  atomic { if :: pte == 0 -> pte = nfree; nfree++ :: else fi; pfn = pte };
  atomic { !lck[g] -> lck[g] = true };
  if :: atomic { sq[g] != snap -> lck[g] = false; goto begin }
     :: atomic { sq[g] == snap -> dev[g] = pfn } fi;
  lck[g] = false }
proctype cpu() { byte n = 0; bool todo[2];
  do :: n < 2 ->
    atomic { act++; todo[0] = true; todo[1] = true };
    do :: atomic { todo[0] && !lck[0] -> sq[0]++; dev[0] = 0; todo[0] = false }
       :: atomic { todo[1] && !lck[1] -> sq[1]++; dev[1] = 0; todo[1] = false }
       :: atomic { !todo[0] && !todo[1] -> pte = 0; break } od;
    atomic { act--; n++; assert(act > 0 || ((dev[0] == 0 || dev[0] == pte) && (dev[1] == 0 || dev[1] == pte))) }
  :: n >= 2 -> break od }
init { atomic { run gpu(0); run gpu(1); run cpu(); run cpu() } }
`
