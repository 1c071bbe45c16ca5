------------------------------- MODULE Shard -------------------------------
(***************************************************************************)
(* One shard of Waterpark: who may write, what is committed, who votes.     *)
(*                                                                         *)
(* A node is an incarnation: a process that dies has forgotten everything,  *)
(* and what comes back is another node, which is nobody's member until it   *)
(* is swapped in by one joint configuration. A copy that is swapped out     *)
(* frees its memory, keeps its term and the end of its log (the floor), and *)
(* may be swapped in again under the same incarnation.                      *)
(*                                                                         *)
(* There is no bag of messages. An append that is late, doubled or out of   *)
(* order carries a prefix of what its writer's log was in that term; so     *)
(* sentLog[t] keeps that log, and any node may take any prefix of it at any *)
(* time. Losing a message is never taking that step.                        *)
(*                                                                         *)
(* To look at every state, some steps are taken as one. Each time the       *)
(* argument is that whatever the finer protocol can do, this can do as well *)
(* with the same logs, with terms no higher and with no less committed: and *)
(* a lower term and a greater commit forbid nothing, here or there.         *)
(*   An answer to an append is heard at once, and what a majority holds     *)
(* counts as committed from then on. What commit allows (a swap, its end,   *)
(* a leave) it allows the more the greater it is, and the invariants ask    *)
(* for no less than the protocol promises.                                  *)
(*   A candidate stands when the first vote is given to it. To have stood   *)
(* before, or in vain, has only raised its own term.                        *)
(*   A term is heard of together with what is done in it, so whoever is in  *)
(* a term has voted in it or taken its entries. To hear of it earlier only  *)
(* forbids.                                                                 *)
(*   Who cannot win does not stand, and is no candidate any more: unless    *)
(* appends come in pieces, the end of a log never goes back, and terms      *)
(* never do, so whoever refuses a candidate now refuses it for ever.        *)
(*                                                                         *)
(* Break names a deliberate fault; "none" is the protocol as it is built.   *)
(***************************************************************************)
EXTENDS Naturals, Sequences, FiniteSets, TLC

CONSTANTS Members,   \* those that the shard is born with
          Spares,    \* those that are there, or come after a crash
          First,     \* the member that writes in term 1
          MaxTerm, MaxValues, MaxSwaps, MaxCrashes,
          Pieces,    \* appends may end before the writer's first own entry
          Break

Inc == Members \cup Spares
Terms == 1..MaxTerm

VARIABLES
  dead,      \* incarnations that have ended, for ever
  term,      \* whoever is in a term has no vote left in it
  log,
  chosen,    \* the longest log that was ever committed
  chosenAt,  \* of a term: how much its writer has committed
  clash,     \* two commits that contradict each other
  values, swaps, crashes,
  \* what View looks at in part stands last: TLC looks at those first that stand first when it chooses among names
  role,
  votes,     \* of a candidate: who has voted for it in its term
  floor,     \* of a copy that has left: where its log ended
  sentLog,   \* of a term: its writer's log, as far as it has ever been sent
  wrote,     \* of a term: everybody who ever was its writer
  acked      \* of a term: up to where each node has said that it equals sentLog

node == <<term, role, log, floor, votes>>
ghosts == <<chosen, chosenAt, clash>>
vars == <<dead, node, sentLog, acked, wrote, ghosts, values, swaps, crashes>>

(***************************************************************************)
(* Entries are configurations or values. In a configuration `old` is empty  *)
(* unless a swap is under way.                                             *)
(***************************************************************************)
Config(t, new, old) == [term |-> t, new |-> new, old |-> old]
Value(t) == [term |-> t, new |-> {}, old |-> {}]
IsConfig(e) == e.new /= {}

Max(S) == CHOOSE x \in S : \A y \in S : y <= x
Min2(a, b) == IF a < b THEN a ELSE b
Take(s, k) == SubSeq(s, 1, k)
IsPrefix(a, b) == Len(a) <= Len(b) /\ a = Take(b, Len(a))
LastTerm(l) == IF l = <<>> THEN 0 ELSE l[Len(l)].term

ConfigIndex(l) ==
  LET S == {k \in 1..Len(l) : IsConfig(l[k])} IN IF S = {} THEN 0 ELSE Max(S)
\* the configuration in force: the last one in the log, committed or not
InForce(l) == IF ConfigIndex(l) = 0 THEN Config(0, {}, {}) ELSE l[ConfigIndex(l)]

MajorityOf(S, V) == V /= {} /\ 2 * Cardinality(S \cap V) > Cardinality(V)
Majority(S, c) == MajorityOf(S, c.new) /\ (c.old = {} \/ MajorityOf(S, c.old))
Voters(c) == c.new \cup c.old
EverVoted(l) == UNION {Voters(l[k]) : k \in 1..Len(l)}

LogEnd(j) == [term |-> LastTerm(log[j]), index |-> Len(log[j])]
\* the end of the log, or that of an earlier life's where it was further
EndOf(j) == IF \/ floor[j].term > LastTerm(log[j])
               \/ floor[j].term = LastTerm(log[j]) /\ floor[j].index > Len(log[j])
            THEN floor[j] ELSE LogEnd(j)
NoFloor == [term |-> 0, index |-> 0]

Up(j) == j \notin dead
Writes(i) == role[i] = "writer"

\* what a writer has been told is nobody's any more once it writes no more
Forgotten(j) == IF Writes(j) THEN [acked EXCEPT ![term[j]] = [i \in Inc |-> 0]] ELSE acked

Birth == <<Config(1, Members, {})>>

Init ==
  /\ dead = {}
  /\ term = [i \in Inc |-> IF i \in Members THEN 1 ELSE 0]
  /\ role = [i \in Inc |-> IF i = First THEN "writer" ELSE "follower"]
  \* what its members know from birth is that they are members: a first entry that all of them have
  /\ log = [i \in Inc |-> IF i \in Members THEN Birth ELSE <<>>]
  /\ floor = [i \in Inc |-> NoFloor]
  /\ votes = [i \in Inc |-> {}]
  /\ sentLog = [t \in Terms |-> IF t = 1 THEN Birth ELSE <<>>]
  /\ acked = [t \in Terms |-> [i \in Inc |-> IF t = 1 /\ i \in Members THEN 1 ELSE 0]]
  /\ wrote = [t \in Terms |-> IF t = 1 THEN {First} ELSE {}]
  /\ chosen = Birth
  /\ chosenAt = [t \in Terms |-> IF t = 1 THEN 1 ELSE 0]
  /\ clash = FALSE
  /\ values = 0 /\ swaps = 0 /\ crashes = 0

(***************************************************************************)
(* Commit: i writes, its log is l, a says who holds how much of it          *)
(***************************************************************************)
Committed(i) == chosenAt[term[i]]

Commit(i, l, a) ==
  LET c == InForce(l)
      Enough(k) ==
        LET H == {i} \cup {j \in Inc : a[j] >= k} IN
        /\ l[k].term = term[i] \/ Break = "commit earlier term"
        /\ IF Break = "learner counts" THEN 2 * Cardinality(H) > Cardinality(c.new) ELSE Majority(H, c)
      S == {k \in (Committed(i) + 1)..Len(l) : Enough(k)}
      prefix == Take(l, Max(S))
  IN
  IF S = {} THEN UNCHANGED ghosts
  ELSE /\ clash' = (clash \/ ~(IsPrefix(prefix, chosen) \/ IsPrefix(chosen, prefix)))
       /\ chosen' = IF IsPrefix(chosen, prefix) THEN prefix ELSE chosen
       /\ chosenAt' = [chosenAt EXCEPT ![term[i]] = Max(S)]

(***************************************************************************)
(* Elections                                                               *)
(***************************************************************************)
Complete(i, j) ==
  \/ Break = "vote without log"
  \/ LastTerm(log[i]) > EndOf(j).term
  \/ LastTerm(log[i]) = EndOf(j).term /\ Len(log[i]) >= EndOf(j).index

WouldVote(j, i, t) ==
  /\ Up(j) /\ Complete(i, j)
  /\ term[j] < t \/ (term[j] = t /\ ~Writes(j) /\ Break = "two votes")

\* With the vote that makes a majority, i writes: the first entry of its term restates the configuration in force. To
\* count a vote later is to write later, which is another step anyway.
Vote(j, i, t, before) ==
  LET c == InForce(log[i])
      V == before \cup {j}
      l == Append(log[i], Config(t, c.new, c.old))
      wins == Majority(V, c)
  IN
  /\ j \in Voters(c) \ before
  /\ WouldVote(j, i, t)
  \* who cannot win stands for nothing (pre-votes ask for that)
  /\ Pieces \/ Majority(V \cup {k \in Voters(c) : WouldVote(k, i, t)}, c)
  /\ term' = [term EXCEPT ![i] = t, ![j] = t]
  /\ role' = [role EXCEPT ![j] = "follower", ![i] = IF wins THEN "writer" ELSE "candidate"]
  /\ votes' = [votes EXCEPT ![i] = IF wins THEN {} ELSE V, ![j] = {}]
  /\ log' = IF wins THEN [log EXCEPT ![i] = l] ELSE log
  /\ sentLog' = IF wins THEN [sentLog EXCEPT ![t] = l] ELSE sentLog
  /\ wrote' = IF wins THEN [wrote EXCEPT ![t] = @ \cup {i}] ELSE wrote
  /\ acked' = [u \in Terms |->
                 IF (Writes(i) /\ u = term[i]) \/ (Writes(j) /\ u = term[j]) THEN [k \in Inc |-> 0] ELSE acked[u]]
  /\ UNCHANGED <<dead, floor, ghosts, values, swaps, crashes>>

\* i stands, and j is the first to vote for it. A writer that stands has resigned.
Stand(i, j, t) ==
  /\ i /= j /\ Up(i) /\ term[i] < t
  \* it votes, or did before a change that it does not know to be committed
  /\ i \in EverVoted(log[i])
  \* a copy that has lost what it once had does not stand
  /\ EndOf(i) = LogEnd(i)
  /\ Vote(j, i, t, {i})

VoteMore(i, j) == role[i] = "candidate" /\ Vote(j, i, term[i], votes[i])

(***************************************************************************)
(* Append                                                                  *)
(***************************************************************************)
Extend(i, e) ==
  LET l == Append(log[i], e) IN
  /\ log' = [log EXCEPT ![i] = l]
  /\ sentLog' = [sentLog EXCEPT ![term[i]] = l]
  /\ Commit(i, l, acked[term[i]])
  /\ UNCHANGED <<dead, term, role, floor, votes, acked, wrote, crashes>>

Propose(i) ==
  /\ Up(i) /\ Writes(i) /\ values < MaxValues
  /\ Extend(i, Value(term[i]))
  /\ values' = values + 1
  /\ UNCHANGED swaps

\* those who still listen to what is said to the writer of t
Listeners(t) == {i \in wrote[t] : Up(i) /\ Writes(i) /\ term[i] = t}

\* j takes the first k entries of what the writer of t has sent, and says so. Entries are replaced only where they differ.
Accept(j, t, k) ==
  LET sent == Take(sentLog[t], k)
      both == Min2(k, Len(log[j]))
      agree == Take(log[j], both) = Take(sent, both)
      l == IF agree /\ Len(log[j]) >= k THEN log[j] ELSE sent
      heard == Listeners(t) /= {} /\ acked[t][j] < k /\ chosenAt[t] < k
      a == IF heard THEN [acked[t] EXCEPT ![j] = k] ELSE acked[t]
  IN
  /\ Up(j) /\ j \notin wrote[t]
  /\ term[j] <= t \/ Break = "no term check"
  \* a shorter piece commits nothing by itself, and costs most of the states: only some runs have them
  /\ Pieces \/ sentLog[t][k].term = t
  /\ j \in EverVoted(sentLog[t]) \/ Break = "learner counts"
  /\ l /= log[j] \/ heard
  /\ log' = [log EXCEPT ![j] = l]
  /\ acked' = [Forgotten(j) EXCEPT ![t] = a]
  /\ term' = [term EXCEPT ![j] = IF t > @ THEN t ELSE @]
  /\ role' = [role EXCEPT ![j] = "follower"]
  /\ votes' = [votes EXCEPT ![j] = {}]
  /\ IF heard THEN LET i == CHOOSE i \in Listeners(t) : TRUE IN Commit(i, log[i], a)
     ELSE UNCHANGED ghosts
  /\ UNCHANGED <<dead, floor, sentLog, wrote, values, swaps, crashes>>

(***************************************************************************)
(* Swap                                                                    *)
(***************************************************************************)
OwnTermCommitted(i) == Committed(i) > 0
ConfigCommitted(i) == Committed(i) >= ConfigIndex(log[i])
EarlySwap == Break \in {"swap before own term", "one by one before own term"}
OneByOne == Break \in {"one by one", "one by one before own term"}

MayChange(i) ==
  /\ Up(i) /\ Writes(i) /\ swaps < MaxSwaps
  /\ InForce(log[i]).old = {} /\ i \in InForce(log[i]).new
  /\ EarlySwap \/ (OwnTermCommitted(i) /\ ConfigCommitted(i))

Change(i, new, old) ==
  /\ Extend(i, Config(term[i], new, old))
  /\ swaps' = swaps + 1
  /\ UNCHANGED values

BeginSwap(i) ==
  /\ MayChange(i) /\ ~OneByOne
  /\ LET c == InForce(log[i]) IN
     \E out \in c.new \ {i}, in \in (Inc \ dead) \ c.new :
       Change(i, (c.new \ {out}) \cup {in}, IF Break = "no joint" THEN {} ELSE c.new)

\* as many do it: one more member, or one less, and no joint configuration
AddOrRemove(i) ==
  /\ OneByOne /\ MayChange(i)
  /\ LET c == InForce(log[i]) IN
     \/ \E in \in (Inc \ dead) \ c.new : Change(i, c.new \cup {in}, {})
     \/ \E out \in c.new \ {i} : Change(i, c.new \ {out}, {})

FinishSwap(i) ==
  /\ Up(i) /\ Writes(i) /\ InForce(log[i]).old /= {}
  /\ ConfigCommitted(i) \/ Break = "swap ends uncommitted"
  /\ Extend(i, Config(term[i], InForce(log[i]).new, {}))
  /\ UNCHANGED <<values, swaps>>

(***************************************************************************)
(* Leaving: a writer lets j go by a committed configuration that leaves it   *)
(* out, and from then on counts on nothing of it.                           *)
(***************************************************************************)
Leave(j) ==
  /\ Up(j) /\ ~Writes(j) /\ log[j] /= <<>>
  /\ \E i \in Inc :
       /\ i /= j /\ Up(i) /\ Writes(i) /\ term[i] >= term[j]
       /\ IF Break = "leaves early" THEN j \notin InForce(log[i]).new
          ELSE j \notin Voters(InForce(log[i])) /\ OwnTermCommitted(i) /\ ConfigCommitted(i)
       /\ acked' = [acked EXCEPT ![term[i]][j] = 0]
       /\ floor' = [floor EXCEPT ![j] = IF Break = "departed forgets" THEN NoFloor ELSE EndOf(j)]
       /\ term' = [term EXCEPT ![j] = IF Break = "departed forgets" THEN 0 ELSE term[i]]
  /\ log' = [log EXCEPT ![j] = <<>>]
  /\ role' = [role EXCEPT ![j] = "follower"]
  /\ votes' = [votes EXCEPT ![j] = {}]
  /\ UNCHANGED <<dead, sentLog, wrote, ghosts, values, swaps, crashes>>

(***************************************************************************)
(* Crashes, within the promised bound: of every configuration that may be   *)
(* in force a majority stays up.                                           *)
(***************************************************************************)
MayCrash(i) ==
  LET lives == (Inc \ dead) \ {i} IN
  \A j \in Inc \ dead : LET c == InForce(log[j]) IN i \in Voters(c) => Majority(lives, c)

Crash(i) ==
  /\ Up(i) /\ log[i] /= <<>> /\ crashes < MaxCrashes /\ MayCrash(i)
  /\ crashes' = crashes + 1
  /\ dead' = IF Break = "keeps incarnation" THEN dead ELSE dead \cup {i}
  /\ log' = [log EXCEPT ![i] = <<>>]
  /\ term' = [term EXCEPT ![i] = 0]
  /\ role' = [role EXCEPT ![i] = "follower"]
  /\ votes' = [votes EXCEPT ![i] = {}]
  /\ floor' = [floor EXCEPT ![i] = NoFloor]
  /\ acked' = Forgotten(i)
  /\ UNCHANGED <<sentLog, wrote, ghosts, values, swaps>>

Next ==
  \/ \E i \in Inc : Propose(i) \/ BeginSwap(i) \/ AddOrRemove(i) \/ FinishSwap(i) \/ Leave(i)
  \/ \E i \in Inc : Crash(i)
  \/ \E i, j \in Inc : VoteMore(i, j) \/ \E t \in Terms : Stand(i, j, t)
  \/ \E j \in Inc, t \in Terms : \E k \in 1..Len(sentLog[t]) : Accept(j, t, k)

Spec == Init /\ [][Next]_vars

(***************************************************************************)
(* What must hold                                                          *)
(***************************************************************************)
TypeOK ==
  /\ \A i \in Inc : role[i] \in {"follower", "candidate", "writer"}
  /\ \A i \in Inc : term[i] \in 0..MaxTerm
  /\ \A i \in Inc : Writes(i) => sentLog[term[i]] = log[i] /\ Committed(i) <= Len(log[i])
  /\ \A i \in dead : log[i] = <<>> /\ ~Writes(i)

\* P1: whoever writes has everything that was committed in earlier terms
RecordedIsKept ==
  \A i \in Inc : Up(i) /\ Writes(i) =>
    \A t \in 1..(term[i] - 1) : IsPrefix(Take(chosen, chosenAt[t]), log[i])

\* P1: there is always a copy that has everything that was committed
RecordedIsHeld == \E i \in Inc : Up(i) /\ IsPrefix(chosen, log[i])

\* P3: one writer a term, and no two commits contradict each other
OneWriterCommits == ~clash /\ \A t \in Terms : Cardinality(wrote[t]) <= 1

(***************************************************************************)
(* What makes states equal: names; what was sent in a term that nobody can  *)
(* hear of any more; candidates without hope; answers about what is         *)
(* committed anyway; and a floor that the log has reached again.            *)
(***************************************************************************)
Symmetry == Permutations(Members \ {First}) \cup Permutations(Spares)

\* To hear of t one must not be past it, and have a log or be named by one that may be sent: nobody comes back to that,
\* as terms never fall, and no log that was sent in t or before grows when nobody is left in these terms who could write.
MayHear(t) ==
  \/ Break \in {"no term check", "learner counts"}
  \/ \E j \in Inc \ dead :
       term[j] <= t /\ (log[j] /= <<>> \/ \E u \in 1..t : j \in EverVoted(sentLog[u]))

\* a candidate that cannot win any more is none
Hopes(i) ==
  role[i] = "candidate" /\
    LET c == InForce(log[i]) IN Pieces \/ Majority(votes[i] \cup {k \in Voters(c) : WouldVote(k, i, term[i])}, c)

View ==
  <<dead, term, log, ghosts, values, swaps, crashes,
    [i \in Inc |-> IF ~Pieces /\ EndOf(i) = LogEnd(i) THEN NoFloor ELSE floor[i]],
    [i \in Inc |-> IF role[i] = "candidate" /\ ~Hopes(i) THEN <<"follower", {}>> ELSE <<role[i], votes[i]>>],
    [t \in Terms |-> IF MayHear(t) THEN <<sentLog[t], wrote[t]>> ELSE <<>>],
    [t \in Terms |-> [j \in Inc |-> IF acked[t][j] <= chosenAt[t] THEN 0 ELSE acked[t][j]]]>>
=============================================================================
