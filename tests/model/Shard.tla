------------------------------- MODULE Shard -------------------------------
(***************************************************************************)
(* One shard of Waterpark: who may write, what is committed, who votes.     *)
(*                                                                         *)
(* A node is an incarnation: a process that dies has forgotten everything,  *)
(* and what comes back is another node, which is nobody's member until it   *)
(* is swapped in by one joint configuration. A copy that is swapped out     *)
(* frees its memory, keeps its term and the end of its log (the floor), and *)
(* may be swapped in again.                                                *)
(*                                                                         *)
(* There is no bag of messages. An append that is late, doubled or out of   *)
(* order carries a prefix of what its writer's log was in that term; so     *)
(* sentLog[t] keeps that log, and any node may take any prefix of it at any *)
(* time. An answer that is late is the fact acked[t][j]; a vote that is     *)
(* late is a vote given late. Losing a message is never taking that step.   *)
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
None == "none"

VARIABLES
  dead,      \* incarnations that have ended, for ever
  term, vote, role, log, floor,
  votes,     \* of a candidate: who has voted for it in its term
  commit,    \* of a writer: what it has committed
  sentLog,   \* of a term: its writer's log, as far as it has ever been sent
  acked,     \* of a term: up to where each node has said that it equals sentLog
  chosen,    \* the longest log that was ever committed, and by whose term
  chosenTerm,
  wrote,     \* of a term: everybody who ever was its writer
  values, swaps, crashes,
  clash      \* two commits that contradict each other

vars == <<dead, term, vote, role, log, floor, votes, commit, sentLog, acked,
          chosen, chosenTerm, wrote, values, swaps, crashes, clash>>

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

\* the end of the log, or that of an earlier life's where it was further
EndOf(j) == IF \/ floor[j].term > LastTerm(log[j])
               \/ floor[j].term = LastTerm(log[j]) /\ floor[j].index > Len(log[j])
            THEN floor[j] ELSE [term |-> LastTerm(log[j]), index |-> Len(log[j])]
NoFloor == [term |-> 0, index |-> 0]

\* what a writer has been told is nobody's any more once it writes no more
Forgotten(j) == IF role[j] = "writer" THEN [acked EXCEPT ![term[j]] = [i \in Inc |-> 0]] ELSE acked

Up(j) == j \notin dead

Birth == <<Config(1, Members, {})>>

Init ==
  /\ dead = {}
  /\ term = [i \in Inc |-> IF i \in Members THEN 1 ELSE 0]
  /\ vote = [i \in Inc |-> IF i \in Members THEN First ELSE None]
  /\ role = [i \in Inc |-> IF i = First THEN "writer" ELSE "follower"]
  \* what its members know from birth is that they are members: a first entry that all of them have
  /\ log = [i \in Inc |-> IF i \in Members THEN Birth ELSE <<>>]
  /\ floor = [i \in Inc |-> NoFloor]
  /\ votes = [i \in Inc |-> {}]
  /\ commit = [i \in Inc |-> IF i = First THEN 1 ELSE 0]
  /\ sentLog = [t \in Terms |-> IF t = 1 THEN Birth ELSE <<>>]
  /\ acked = [t \in Terms |-> [i \in Inc |-> IF t = 1 /\ i \in Members THEN 1 ELSE 0]]
  /\ chosen = Birth
  /\ chosenTerm = 1
  /\ wrote = [t \in Terms |-> IF t = 1 THEN {First} ELSE {}]
  /\ values = 0 /\ swaps = 0 /\ crashes = 0
  /\ clash = FALSE

(***************************************************************************)
(* Elections                                                               *)
(***************************************************************************)
StartElection(i) ==
  /\ Up(i) /\ role[i] /= "writer" /\ term[i] < MaxTerm
  /\ i \in Voters(InForce(log[i]))
  \* a copy that has lost what it once had stands for nothing
  /\ EndOf(i) = [term |-> LastTerm(log[i]), index |-> Len(log[i])]
  /\ term' = [term EXCEPT ![i] = @ + 1]
  /\ vote' = [vote EXCEPT ![i] = i]
  /\ role' = [role EXCEPT ![i] = "candidate"]
  /\ votes' = [votes EXCEPT ![i] = {i}]
  /\ UNCHANGED <<dead, log, floor, commit, sentLog, acked, chosen, chosenTerm, wrote, values, swaps, crashes, clash>>

Complete(i, j) ==
  \/ LastTerm(log[i]) > EndOf(j).term
  \/ LastTerm(log[i]) = EndOf(j).term /\ Len(log[i]) >= EndOf(j).index

\* With the vote that makes a majority, i writes: the first entry of its term restates the configuration in force. To
\* count later is to write later, which is another step anyway.
GrantVote(j, i) ==
  LET t == term[i]
      c == InForce(log[i])
      l == Append(log[i], Config(t, c.new, c.old))
      wins == Majority(votes[i] \cup {j}, c)
  IN
  /\ i /= j /\ Up(i) /\ Up(j)
  /\ role[i] = "candidate" /\ j \in Voters(c) /\ j \notin votes[i]
  /\ term[j] <= t
  /\ \/ term[j] < t
     \/ vote[j] \in {None, i} /\ role[j] = "follower"
     \/ Break = "two votes"
  /\ Complete(i, j) \/ Break = "vote without log"
  /\ term' = [term EXCEPT ![j] = t]
  /\ vote' = [vote EXCEPT ![j] = i]
  /\ role' = [role EXCEPT ![j] = "follower", ![i] = IF wins THEN "writer" ELSE @]
  /\ votes' = [votes EXCEPT ![i] = IF wins THEN {} ELSE @ \cup {j}, ![j] = {}]
  /\ commit' = [commit EXCEPT ![j] = 0]
  /\ log' = IF wins THEN [log EXCEPT ![i] = l] ELSE log
  /\ sentLog' = IF wins THEN [sentLog EXCEPT ![t] = l] ELSE sentLog
  /\ wrote' = IF wins THEN [wrote EXCEPT ![t] = @ \cup {i}] ELSE wrote
  /\ acked' = Forgotten(j)
  /\ UNCHANGED <<dead, floor, chosen, chosenTerm, values, swaps, crashes, clash>>

(***************************************************************************)
(* Append and commit                                                       *)
(***************************************************************************)
Extend(i, e) ==
  /\ log' = [log EXCEPT ![i] = Append(@, e)]
  /\ sentLog' = [sentLog EXCEPT ![term[i]] = Append(log[i], e)]

Propose(i) ==
  /\ Up(i) /\ role[i] = "writer" /\ values < MaxValues
  /\ Extend(i, Value(term[i]))
  /\ values' = values + 1
  /\ UNCHANGED <<dead, term, vote, role, floor, votes, commit, acked, chosen, chosenTerm, wrote, swaps, crashes, clash>>

\* nobody listens to what is said to the writer of t
Silent(t) == \A i \in wrote[t] : ~Up(i) \/ role[i] /= "writer" \/ term[i] /= t

\* j takes the first k entries of what the writer of t has sent, and says so. Entries are replaced only where they differ.
Accept(j, t, k) ==
  LET sent == Take(sentLog[t], k)
      both == Min2(k, Len(log[j]))
      agree == Take(log[j], both) = Take(sent, both)
      l == IF agree /\ Len(log[j]) >= k THEN log[j] ELSE sent
  IN
  /\ Up(j) /\ k \in 1..Len(sentLog[t])
  \* a shorter piece commits nothing by itself, and costs most of the states: only some runs have them
  /\ Pieces \/ sentLog[t][k].term = t
  /\ j \in Voters(InForce(sent)) \/ Break = "learner counts"
  /\ j \notin wrote[t]
  /\ term[j] <= t \/ Break = "no term check"
  /\ \/ l /= log[j] \/ (acked[t][j] < k /\ ~Silent(t))
  /\ log' = [log EXCEPT ![j] = l]
  /\ acked' = [Forgotten(j) EXCEPT ![t][j] = IF @ > k \/ Silent(t) THEN @ ELSE k]
  /\ term' = [term EXCEPT ![j] = IF t > @ THEN t ELSE @]
  \* accepting a writer's entries spends the vote of its term
  /\ vote' = [vote EXCEPT ![j] = IF t > term[j] \/ @ = None THEN "spent" ELSE @]
  /\ role' = [role EXCEPT ![j] = "follower"]
  /\ votes' = [votes EXCEPT ![j] = {}]
  /\ commit' = [commit EXCEPT ![j] = 0]
  /\ UNCHANGED <<dead, floor, sentLog, chosen, chosenTerm, wrote, values, swaps, crashes, clash>>

Holds(i, k) == {i} \cup {j \in Inc : acked[term[i]][j] >= k}

Commit(i, k) ==
  LET prefix == Take(log[i], k)
      c == InForce(log[i])
  IN
  /\ Up(i) /\ role[i] = "writer" /\ k > commit[i] /\ k <= Len(log[i])
  /\ log[i][k].term = term[i] \/ Break = "commit earlier term"
  /\ IF Break = "learner counts"
     THEN 2 * Cardinality(Holds(i, k)) > Cardinality(c.new)
     ELSE Majority(Holds(i, k), c)
  /\ commit' = [commit EXCEPT ![i] = k]
  /\ IF IsPrefix(chosen, prefix) THEN chosen' = prefix /\ chosenTerm' = term[i] /\ clash' = clash
     ELSE UNCHANGED <<chosen, chosenTerm>> /\ clash' = (clash \/ ~IsPrefix(prefix, chosen))
  /\ UNCHANGED <<dead, term, vote, role, log, floor, votes, sentLog, acked, wrote, values, swaps, crashes>>

(***************************************************************************)
(* Swap                                                                    *)
(***************************************************************************)
OwnTermCommitted(i) == commit[i] > 0 /\ log[i][commit[i]].term = term[i]
ConfigCommitted(i) == commit[i] >= ConfigIndex(log[i])

BeginSwap(i, out, in) ==
  LET c == InForce(log[i])
      new == (c.new \ {out}) \cup {in}
  IN
  /\ Up(i) /\ role[i] = "writer" /\ swaps < MaxSwaps
  /\ c.old = {} /\ i \in c.new
  /\ out \in c.new /\ out /= i /\ in \notin c.new /\ Up(in)
  /\ Break = "swap before own term" \/ (OwnTermCommitted(i) /\ ConfigCommitted(i))
  /\ Extend(i, Config(term[i], new, IF Break = "no joint" THEN {} ELSE c.new))
  /\ swaps' = swaps + 1
  /\ UNCHANGED <<dead, term, vote, role, floor, votes, commit, acked, chosen, chosenTerm, wrote, values, crashes, clash>>

FinishSwap(i) ==
  LET c == InForce(log[i]) IN
  /\ Up(i) /\ role[i] = "writer" /\ c.old /= {}
  /\ ConfigCommitted(i) \/ Break = "swap ends uncommitted"
  /\ Extend(i, Config(term[i], c.new, {}))
  /\ UNCHANGED <<dead, term, vote, role, floor, votes, commit, acked, chosen, chosenTerm, wrote, values, swaps, crashes, clash>>

(***************************************************************************)
(* Leaving: a writer lets j go by a committed configuration that leaves it   *)
(* out, and from then on counts on nothing of it.                           *)
(***************************************************************************)
Leave(j) ==
  /\ Up(j) /\ role[j] /= "writer" /\ log[j] /= <<>>
  /\ \E i \in Inc :
       /\ i /= j /\ Up(i) /\ role[i] = "writer" /\ term[i] >= term[j]
       /\ InForce(log[i]).old = {} /\ j \notin InForce(log[i]).new
       /\ Break = "leaves early" \/ (OwnTermCommitted(i) /\ ConfigCommitted(i))
       /\ acked' = [acked EXCEPT ![term[i]][j] = 0]
       /\ floor' = [floor EXCEPT ![j] = IF Break = "departed forgets" THEN NoFloor ELSE EndOf(j)]
       /\ term' = [term EXCEPT ![j] = IF Break = "departed forgets" THEN 0 ELSE term[i]]
       /\ vote' = [vote EXCEPT ![j] = IF Break = "departed forgets" THEN None ELSE "spent"]
  /\ log' = [log EXCEPT ![j] = <<>>]
  /\ role' = [role EXCEPT ![j] = "follower"]
  /\ votes' = [votes EXCEPT ![j] = {}]
  /\ UNCHANGED <<dead, commit, sentLog, chosen, chosenTerm, wrote, values, swaps, crashes, clash>>

(***************************************************************************)
(* Crashes, within the promised bound: of every configuration that may be   *)
(* in force a majority stays up.                                           *)
(***************************************************************************)
MayCrash(i) ==
  \A j \in Inc :
    Up(j) /\ log[j] /= <<>> =>
      LET c == InForce(log[j])
          lives == {k \in Inc \ {i} : Up(k)}
      IN  i \in Voters(c) => Majority(lives, c)

Crash(i) ==
  /\ Up(i) /\ crashes < MaxCrashes /\ MayCrash(i)
  /\ crashes' = crashes + 1
  /\ dead' = IF Break = "keeps incarnation" THEN dead ELSE dead \cup {i}
  /\ log' = [log EXCEPT ![i] = <<>>]
  /\ term' = [term EXCEPT ![i] = 0]
  /\ vote' = [vote EXCEPT ![i] = None]
  /\ role' = [role EXCEPT ![i] = "follower"]
  /\ votes' = [votes EXCEPT ![i] = {}]
  /\ commit' = [commit EXCEPT ![i] = 0]
  /\ floor' = [floor EXCEPT ![i] = NoFloor]
  /\ acked' = Forgotten(i)
  /\ UNCHANGED <<sentLog, chosen, chosenTerm, wrote, values, swaps, clash>>

Next ==
  \/ \E i \in Inc : StartElection(i) \/ Propose(i) \/ FinishSwap(i) \/ Leave(i) \/ Crash(i)
  \/ \E i, j \in Inc : GrantVote(j, i) \/ \E o \in Inc : BeginSwap(i, o, j)
  \/ \E j \in Inc, t \in Terms : \E k \in 1..Len(sentLog[t]) : Accept(j, t, k)
  \/ \E i \in Inc : \E k \in 1..Len(log[i]) : Commit(i, k)

Spec == Init /\ [][Next]_vars

(***************************************************************************)
(* What must hold                                                          *)
(***************************************************************************)
TypeOK ==
  /\ \A i \in Inc : role[i] \in {"follower", "candidate", "writer"}
  /\ \A i \in Inc : term[i] \in 0..MaxTerm /\ commit[i] <= Len(log[i])
  /\ \A i \in Inc : role[i] = "writer" => term[i] >= 1

\* P1: whoever writes in a later term has everything that was ever committed
RecordedIsKept == \A i \in Inc : Up(i) /\ role[i] = "writer" /\ term[i] > chosenTerm => IsPrefix(chosen, log[i])

\* P3: one writer a term, and no two commits contradict each other
OneWriterCommits == ~clash /\ \A t \in Terms : Cardinality(wrote[t]) <= 1

Symmetry == Permutations(Members \ {First}) \cup Permutations(Spares)
=============================================================================
