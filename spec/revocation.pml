/*
 * Revoked means revoked: the protocol of docs/revocation.md, for spin. check.sh runs it.
 *
 * Property: no request that began after a confirmation is answered from the
 * state before it. It is the assertion in ByDigest.
 *
 * Steps bear the names of the functions that do them; numbers in brackets are
 * the rules of docs/revocation.md. Between any two steps a process may stand
 * still for as long as it likes: that is the pause, the slow disk, the stopped
 * process. A step that asks the store may fail, before or after the store has
 * done it: that is a store that is away, for one replica or for all.
 *
 * Time is counted in ticks, which all clocks share, so that the margin for
 * clocks that differ is nothing here and every bound is tight.
 *
 * What is left out takes nothing away:
 * - There is one key, good at first, then revoked. A cache holds an old entry
 *   or none: the new answer and no answer both lead to a denial, or to a read.
 * - Replica 0 is asked, since replicas are alike. Replica 1 is there for its
 *   row, and for what it leaves in Redis.
 * - Fills begin at any time, for requests that are not shown.
 * - A row that nobody answers for any more goes at once, by proof. One that
 *   stays until its time is over only makes writers wait.
 *
 * Concerns are switched on one by one, or there would be too many states:
 *   SERVE    cache.outage: serve; without it, deny
 *   REDIS    a cache that replicas share, and that answers with anything it ever held
 *   RESTART  a replica stops in good order, or crashes, and starts again
 *   FORGET   what is known is a bounded map that forgets, not a table of fixed size
 *   RETAIN   old changes are removed from the log
 *   FAILOVER another server takes the store's place, and lacks the last commits. With it
 *   GRANTED  the key is good by one of those
 *   ASYNC    rows of replicas are lost too, though their commits were answered
 * M_... breaks a rule, which must be caught. PROBE_... asks for a state, which must be reached.
 */

#ifndef D
#define D 2                       /* cache.lease */
#endif
#ifdef SERVE
#define STOPS (D + 1)             /* Replica.StopsAfter: max_stale on top */
#else
#define STOPS D
#endif
#define LOST STOPS                /* the age of a lease under which nothing is answered */
#define NONE 0                    /* no entry; one of stamp s is written s + 1 */

#define max(a, b) ((a) > (b) -> (a) : (b))

/* ---- the store ---- */

#ifdef FAILOVER
/*
 * The new server has what the old one had at some moment. The model says first
 * when that is: what the old one commits from then on is seen, and will be
 * lost. It ends when the new one begins: it is fenced.
 *
 * A transaction is one step here, so that the log is the numbers up to allocated,
 * without those that were lost: 1 and 2 of the first epoch, 3 the second's own, 4 and 5 after it.
 */
#define STAMPS 6
#define EPOCH 3                   /* auth.EpochStart of the second */
#ifdef GRANTED
#define OFF 7                     /* revoked before the first change */
#define last 1
#else
#define last 0
#endif
byte server = last;               /* 0: the old one, 1: what it commits now will be lost, 2: the new one */
byte kept;                        /* the last change that the new one has of the old one's */
byte allocated = last;
byte begun = STOPS;               /* ticks since the second epoch began */
#else
#define STAMPS 3
bit committed[3];                 /* changes 1 and 2: the revocation and another, in either order */
byte allocated;                   /* the sequence object: given out, perhaps not committed */
#endif
byte revoked;                     /* the change that revoked the key; 0 while it is good */
bit locked;                       /* by a writer */
bit row[2];                       /* the present incarnation of a replica has a row in replicas */
byte acked[2];                    /* applied, in that row */
byte silent;                      /* ticks since seen_at */
byte pruned;                      /* the log holds no change up to this one */

#ifdef FAILOVER
#define after(n) (n >= kept && n < EPOCH && allocated >= EPOCH -> EPOCH : (n < allocated -> n + 1 : 0))
#else
#define inLog(n) (committed[n] && n > pruned)
#define after(n) (n < 1 && inLog(1) -> 1 : (n < 2 && inLog(2) -> 2 : 0))
#endif
#ifdef M_RETENTION_UNNOTICED
#define reaches true
#else
#define reaches (applied >= pruned)
#endif
#ifdef FAILOVER
#define lastChange allocated
#else
#define lastChange max((committed[2] -> 2 : (committed[1] -> 1 : 0)), pruned)
#endif

/* ---- the writer who revokes ---- */

bit counts[2];                    /* the row was in the first listing, and is still there */
byte took = STOPS;                /* ticks since the commit has answered */
bit confirmed;
#ifdef FAILOVER
bit countsLost;                   /* a row for those that may have been lost was in the first listing */
#endif

/* ---- the replicas ---- */

byte applied, known, floor;
bit fresh = 1;
byte age = LOST;                  /* ticks since t0 of the lease */
byte since[2] = LOST;             /* ticks since t0 of a poll under way */
byte cache;
bit filling, asking;              /* something is under way */
bit joined;                       /* the request waits for the fill */
byte brought;                     /* what the fill gave it */
bit held[STAMPS];                      /* by stamp: an old entry that Redis has held */

inline tick(c) { c = (c < STOPS -> c + 1 : c) }

active proctype Clock() {
	do
	:: d_step {
		tick(took); tick(age); tick(since[0]); tick(since[1]);
#ifdef FAILOVER
		tick(begun);
#ifdef LOSES_ROWS
		if :: server == 1 && keptRow -> tick(keptSilent) :: else fi;
#endif
#endif
		if :: row[0] -> tick(silent) :: else fi;
		printf("a tick\n")
	   }
	od
}

#ifdef FAILOVER
/* ---- another server ---- */

#if defined(ASYNC) || defined(M_ROWS_UNWAITED)
#define durable true
#else
#define durable (server != 1)     /* a commit that will be lost is not answered */
#endif
#if defined(ASYNC) || defined(M_ROWS_UNWAITED) || defined(M_REMOVED_UNWAITED)
#define LOSES_ROWS
bit keptRow;                      /* the row of the present incarnation, as the new server has it */
byte keptAcked, keptSilent;
#define neverKept keptRow = 0; keptAcked = 0; keptSilent = 0
#else
#define neverKept
#endif

active proctype Failover() {
#ifndef GRANTED
	d_step {
		server = 1; kept = allocated;
#ifdef LOSES_ROWS
		keptRow = row[0]; keptAcked = acked[0]; keptSilent = silent;
#endif
		printf("what is committed from now on will be lost\n")
	};
#endif
	d_step {
#ifdef PROBE_FAILED_OVER_WITH_LOSS
		assert(applied <= kept);
#endif
#ifdef PROBE_LOST_ROW
		assert(!(row[0] && !keptRow && age < LOST));
#endif
		server = 2; allocated = kept;
#ifdef GRANTED
		revoked = OFF;
#else
		revoked = (revoked > kept -> 0 : revoked);
#endif
#ifdef LOSES_ROWS
		if
		:: keptRow -> row[0] = 1; acked[0] = keptAcked; silent = keptSilent
		:: else -> row[0] = 0; acked[0] = 0; silent = 0; counts[0] = 0
		fi;
		neverKept;
#endif
		printf("another server takes the place of the old one, with the changes up to %d\n", kept)
	}
}

/* Whoever writes asks first, in the same transaction. */
inline inEpoch() {
#ifndef M_NUMBERS_GIVEN_OUT_AGAIN
	if :: server == 2 && allocated < EPOCH -> allocated = EPOCH; begun = (confirmed -> STOPS : 0); printf("another epoch begins\n") :: else fi
#else
	skip
#endif
}
#else
#define durable true
#define neverKept
#endif

/* ---- internal/repo: changes ---- */

#ifdef M_NO_WRITER_LOCK
#define lock true
#else
#define lock !locked -> locked = 1
#endif

inline write(n) { d_step { lock; allocated++; n = allocated } }    /* [1] */

/* ---- internal/admin: confirm ---- */

/* The rows of the first listing are those that count. */
inline listReplicas() {
#ifdef FAILOVER
	d_step { counts[0] = row[0]; counts[1] = row[1]; printf("confirm: rows listed: %d %d\n", row[0], row[1]) };
#ifndef M_LOST_ROWS_UNCOUNTED
	d_step { countsLost = (begun < STOPS); printf("confirm: and one for those that were lost: %d\n", countsLost) }
#endif
#else
	d_step { counts[0] = row[0]; counts[1] = row[1]; printf("confirm: rows listed: %d %d\n", row[0], row[1]) }
#endif
}

#define follows(r, n) (!counts[r] || acked[r] >= n)
#ifdef FAILOVER
#define follow(n) (follows(0, n) && follows(1, n) && (!countsLost || begun >= STOPS))
#else
#define follow(n) (follows(0, n) && follows(1, n))
#endif

inline confirm(n) {
	do
	:: true ->
#ifndef M_TIMED_BEFORE_COMMIT
	   took = 0;                                               /* [18] */
#endif
#ifndef M_LISTED_BEFORE_COMMIT
	   listReplicas();                                         /* [19] */
#endif
	   /* judge */
	   if
	   :: follow(n) -> break
#ifdef M_TIMED_EARLY
	   :: took >= STOPS - 1 -> break
#endif
	   :: took >= STOPS -> break                               /* [20] */
#ifdef FAILOVER
	   :: goto transact                                        /* killed; a second revoke is a transaction as well [21] */
#else
	   :: true                                                 /* killed; a second revoke waits for the same number [21] */
#endif
#ifdef M_SECOND_REVOKE_AT_ONCE
	   :: true -> break
#endif
	   fi
	od;
#ifdef PROBE_CONFIRMED_BY_ALL
	assert(!(counts[0] && counts[1] && acked[0] >= n && acked[1] >= n));
#endif
#ifdef PROBE_CONFIRMED_BY_TIME
	assert(follow(n));
#endif
#ifdef FAILOVER
	/* Nobody asks for these any more. */
	atomic {
		countsLost = 0; begun = STOPS; acked[0] = 0; acked[1] = 0;
#ifdef LOSES_ROWS
		keptAcked = 0;
#endif
		confirmed = 1; took = STOPS; n = 0; counts[0] = 0; counts[1] = 0; printf("confirmed\n")
	}
#else
	atomic { confirmed = 1; took = STOPS; n = 0; counts[0] = 0; counts[1] = 0; printf("confirmed\n") }
#endif
}

/* ---- the two writers ---- */

#ifdef OTHER
/* A change that does not touch the key. */
active proctype UpdateKey() {
	byte n;
#ifdef FAILOVER
transact: atomic { inEpoch(); allocated++; n = (server == 2 -> 0 : allocated); printf("another change, %d, is committed\n", allocated) };
end:	n == 0 || server == 2 && n > kept;
	if :: n == 0 :: n != 0 -> goto transact fi                 /* it was lost: it is made again */
#else
	write(n);
	d_step { committed[n] = 1; locked = 0; printf("another change, %d, is committed\n", n); n = 0 }
#endif
}
#endif

active proctype RevokeKey() {
	byte n;
#ifdef M_LISTED_BEFORE_COMMIT
	listReplicas();
#endif
#ifdef FAILOVER
	bit here;                         /* the transaction was the new server's */
transact: atomic {
		inEpoch();
		here = (server == 2);
		if
		:: revoked == 0 -> allocated++; n = allocated; revoked = n
#ifdef GRANTED
		:: revoked == OFF -> n = 0                         /* again: nothing is to be changed */
#endif
		:: else -> n = revoked                             /* again */
		fi;
		printf("RevokeKey: change %d is committed\n", n)
	};
	/* Its answer. Whoever gets none asks again, and finds it done, or does it. */
	if
#ifdef ASYNC
	:: atomic { here -> here = 0 }
#else
	:: atomic { (here || n <= kept || server == 0) && (n == 0 || n == revoked) -> here = 0 }
#endif
	:: atomic { here = 0; goto transact }
	fi;
	confirm(n)
#else
	write(n);
#ifdef M_TIMED_BEFORE_COMMIT
	took = 0;
#endif
	d_step { committed[n] = 1; revoked = n; locked = 0; printf("RevokeKey: change %d is committed\n", n) }
	confirm(n)
#endif
}

/* ---- internal/repo: rows of replicas ---- */

inline put(r) { row[r] = 1; acked[r] = 0; silent = (r == 0 -> 0 : silent) }

inline removeRow(r) { row[r] = 0; acked[r] = 0; silent = (r == 0 -> 0 : silent); counts[r] = 0 }

#ifdef M_REMOVED_EARLY
#define OVER (STOPS - 1)
#else
#define OVER STOPS
#endif
#ifdef M_REMOVED_UNWAITED
#define removable true
#else
#define removable durable
#endif
/* Anybody removes a row whose time is over, never sooner [3]. */
active proctype ListReplicas() {
#ifdef M_REMOVED_UNSEEN
end:	do
	:: row[0] && silent >= STOPS; d_step { removeRow(0); printf("the row of replica 0 is removed, seen or not\n") }
	od
#else
end:	do
	:: d_step { row[0] && silent >= OVER && removable -> removeRow(0); printf("replica 0 was silent: its row is removed\n") }
	od
#endif
}

/* A row is of an incarnation, and its id is never used by another: the row of
 * the one before, should it be there, is that of a dead process. */
inline Register(r) {
	removeRow(r); put(r); neverKept;
#ifdef M_ROW_TAKEN_OVER
	removeRow(1 - r);
#endif
	printf("replica %d: Register\n", r)
}

#ifdef M_REGISTER_LATE
bit underway;                     /* a Register that the replica has given up on, and the store has not */

active proctype Late() {
end:	do
	:: d_step { underway -> underway = 0; put(0); /* under the same id */ printf("the store carries out the first Register of replica 0\n") }
	od
}
#endif

#ifdef RETAIN
active proctype Retention() {
end:	do
	:: d_step { committed[1] && pruned == 0 -> pruned = 1; printf("change 1 is removed from the log\n") }
	:: d_step { committed[2] && pruned == 1 -> pruned = 2; printf("change 2 is removed from the log\n") }
	od
}
#endif

/* ---- internal/cache: Feed ---- */

inline extend(p) {
#ifdef M_LEASE_FROM_NOW
	age = 0;
#else
	age = since[p];
#endif
	printf("extend: the lease of replica 0 began %d ticks ago\n", age)
}

/* Nothing of a process outlives it. */
inline restart() {
	applied = 0; known = 0; floor = 0; age = LOST; fresh = 1; cache = NONE; neverKept;
	printf("replica 0 starts anew\n")
}

/* p is the poll: there is one for each replica [6]. */
proctype Feed(byte p) {
	byte got;
	bit unwritten;
#ifdef FAILOVER
	bit touches;
#endif
	do
	:: atomic {
		since[p] = 0; printf("replica 0: poll\n");              /* t0 [7] */
		if :: !fresh -> goto apply :: fresh fi
	   };
	   /* register */
	   if
#ifdef M_ROW_AFTER_READ
	   :: unwritten = 1
#else
	   :: d_step {                                             /* [2] */
#ifdef FAILOVER
		durable ->
#endif
		Register(0);
#ifdef PROBE_GIVEN_UP_AND_BACK
		assert(applied == 0)
#endif
	      }
#endif
	   :: goto failed
#ifdef M_REGISTER_LATE
	   :: underway = 1; goto failed
#endif
	   fi;
	   if
#ifdef M_APPLIED_FROM_SEQUENCE
	   :: got = allocated
#else
	   :: got = lastChange                                     /* [9] */
#endif
	   :: goto failed
	   fi;
#ifndef M_NO_FLOOR
	   floor = max(floor, got);
#endif
#ifdef FORGET
	   known = 0;
#endif
	   d_step { applied = max(applied, got); fresh = 0; got = 0 };
	   /* apply: to the end, in batches of one change [8] */
apply:	   do
#ifdef RETAIN
	   /* What is read tells how far back it reaches: it is one statement [10]. */
	   :: atomic { !reaches -> got = lastChange };
	      floor = max(floor, got);
	      d_step { applied = max(applied, got); got = 0 }
#endif
#ifdef M_RETENTION_CHECKED_BEFORE
	   :: reaches;
	      atomic {
#else
	   :: atomic {
		reaches;
#endif
#ifdef M_LAGGING_POLL
		if :: got = after(applied) :: got = 0 fi;
#else
		got = after(applied);
#endif
#ifdef GRANTED
		touches = (got == revoked || got == 1);
#elif defined(FAILOVER)
		touches = (got == revoked);
#endif
#ifdef M_T0_AFTER_READ
	      };
	      atomic {
		since[p] = 0;
#endif
		if :: got == 0 -> break :: got != 0 fi
	      };
#ifdef M_ACKNOWLEDGED_BEFORE_APPLIED
	      d_step { row[0] -> acked[0] = got; silent = 0; printf("replica 0: Acknowledge %d\n", got) };
#endif
#ifdef M_LEASE_BEFORE_APPLIED
	      d_step { extend(p) };
#endif
#ifdef FAILOVER
#ifndef M_EPOCH_WITHOUT_FLOOR
	      d_step { floor = (got >= EPOCH && applied < EPOCH -> max(floor, EPOCH) : floor) };
#endif
	      d_step { known = (touches -> got : known); touches = 0; printf("replica 0: change %d is known\n", got) };
#else
	      d_step { known = (got == revoked -> got : known); printf("replica 0: change %d is known\n", got) };
#endif
	      d_step { applied = max(applied, got); got = 0 };
#ifdef M_PARTIAL_BATCH
	      break
#endif
	   :: goto failed
	   od;
#ifdef M_ROW_AFTER_READ
	   if
	   :: d_step { unwritten -> unwritten = 0; Register(0) }
	   :: !unwritten
	   fi;
#endif
#ifdef M_LEASE_BEFORE_ACKNOWLEDGED
	   atomic { extend(p) };
#endif
	   if
#ifdef FAILOVER
	   :: d_step { row[0] && durable -> acked[0] = (confirmed -> 0 : max(acked[0], applied)); silent = 0; got = (server == 2);
		printf("replica 0: Acknowledge %d\n", acked[0]) };
	      if :: got == 0 :: atomic { got == 1 -> got = 0; inEpoch() } :: got == 1 -> goto failed fi
	   :: d_step { row[0] && durable -> acked[0] = (confirmed -> 0 : max(acked[0], applied)); silent = 0 }; goto failed
#else
	   :: d_step { row[0] -> acked[0] = max(acked[0], applied); silent = 0; printf("replica 0: Acknowledge %d\n", acked[0]) }
	   :: d_step { row[0] -> acked[0] = max(acked[0], applied); silent = 0 }; goto failed
#endif
#ifdef M_ROW_PUT_BACK
	   :: d_step { !row[0] -> put(0); acked[0] = applied; printf("replica 0: puts its row back\n") }
#else
	   :: d_step {                                             /* [4] */
		!row[0] -> fresh = 1; age = LOST; neverKept; printf("replica 0: givenUp\n")
	      }; goto failed
#endif
	   :: goto failed
	   fi;
	   d_step { extend(p) };                                   /* [12] */
failed:	   atomic { since[p] = LOST; got = 0; unwritten = 0 }
#ifdef RESTART
	/* end: answering ends first, the row goes last [5]. The process outlives it
	 * until nothing is under way. */
	:: d_step { !fresh ->
#ifdef M_ROW_BEFORE_ANSWER
		removeRow(0); printf("replica 0: Unregister\n") }; age = LOST;
#else
		age = LOST; printf("replica 0: drop\n") }; d_step { removeRow(0); printf("replica 0: Unregister\n") };
#endif
	   d_step { !filling && !asking -> restart() }
	/* A crash, and the proof of it [3]. Whatever it cut off might as well never
	 * have begun: it was seen by nobody. */
	:: d_step { !filling && !asking -> removeRow(0); restart() }
#endif
	od
}

#ifdef FORGET
/* The floor rises first. */
active proctype Forget() {
end:	do
#ifdef M_FORGOTTEN_WITHOUT_FLOOR
	:: known = 0
#else
	:: d_step { known > floor -> floor = known }; known = 0
#endif
	od
}
#endif

/* ---- internal/cache: Local ---- */

/* fill: what it brings is kept, and given to who has joined it. */
inline keep(e) {
	cache = e; brought = (joined -> e : NONE); joined = 0; filling = 0
}

active proctype Fill() {
	byte stamp, s;
end:	do
	:: d_step { filling = 1; stamp = applied; printf("fill: stamped %d\n", stamp) };       /* [14] */
#ifdef REDIS
	   if
	   :: atomic { held[0] -> s = 0 }; goto shared
	   :: atomic { held[1] -> s = 1 }; goto shared
	   :: atomic { held[2] -> s = 2 }; goto shared
#ifdef FAILOVER
	   :: atomic { held[3] -> s = 3 }; goto shared
	   :: atomic { held[4] -> s = 4 }; goto shared
#endif
	   :: true
	   fi;
read:
#endif
#ifdef M_LAGGING_FILL
	   if :: true :: revoked -> goto none fi;
#else
	   if :: !revoked :: revoked -> goto none :: goto none fi; /* [15] */
#endif
#ifdef M_STAMP_AFTER_READ
	   stamp = applied;
#endif
#ifdef PROBE_FILL_OVERTAKEN
	   assert(stamp >= known);
#endif
	   d_step { keep(stamp + 1); held[stamp] = 1; stamp = 0 };
	   goto done;
#ifdef REDIS
	/* An entry keeps the stamp that it was made under [16]. */
shared:
	   if
#ifdef M_STAMPED_ANEW
	   :: d_step { keep(stamp + 1); s = 0; stamp = 0 }
#else
	   :: d_step { s >= floor && s >= known -> keep(s + 1); s = 0; stamp = 0 }
	   :: s < floor || s < known ->
#ifdef PROBE_REDIS_REFUSED
		assert(false);
#endif
		s = 0; goto read
#endif
	   fi;
	   goto done;
#endif
none:	   atomic { keep(NONE); stamp = 0 };
done:	   skip
	od
}

#ifdef ANOTHER
byte applied1;

/* Replica 1 is there for its row, and for what it leaves in Redis. That it
 * unregisters at any time also stands for its being silent. */
active proctype Another() {
	do
	:: d_step { !row[1] && !confirmed -> Register(1); applied1 = 0 }
	:: d_step { row[1] && applied1 != lastChange -> applied1 = lastChange }
	:: d_step { row[1] && acked[1] != applied1 -> acked[1] = applied1; printf("replica 1: Acknowledge %d\n", applied1) }
	:: d_step { row[1] -> removeRow(1); printf("replica 1: Unregister\n") }
	od
}

#ifdef REDIS
active proctype AnotherFill() {
	byte stamp;
end:	do
	:: stamp = applied1; !revoked; d_step { held[stamp] = 1; stamp = 0 }
	od
}
#endif
#endif

inline accept() {
#ifdef PROBE_ACCEPTED_WARM
	assert(late == 1);
#endif
#ifdef PROBE_STALE_SERVED
	assert(k < D);
#endif
	printf("replica 0: ByDigest answers from the old state\n");
	assert(!late)
}

active proctype ByDigest() {
	byte e, k;
	bit late;
end:	do
#ifdef EARLY
	:: d_step { asking = 1; late = confirmed };
#else
	/* What began before the confirmation may be answered either way, and leaves no trace. */
	:: d_step { confirmed -> asking = 1; late = 1 };
#endif
#ifdef M_KNOWN_BEFORE_LEASE
	   k = max(known, floor);
#endif
#ifdef M_LEASE_LAST
	   e = cache;
#else
#ifndef M_NO_LEASE
	   atomic {                                                /* standing: the lease first [13] */
		if
		:: age < LOST
		:: age >= LOST ->
#ifdef PROBE_LEASE_LOST
			assert(fresh || cache == NONE);
#endif
			printf("replica 0: ByDigest has no lease\n"); goto denied
		fi;
#ifdef PROBE_STALE_SERVED
		k = age
#endif
	   };
#endif
	   e = cache;                                              /* then the look-up */
#endif
judge:	   atomic { if :: e == NONE -> goto look :: e != NONE fi };
#if defined(M_NO_STAMP)
#elif defined(M_KNOWN_BEFORE_LEASE)
	   if :: e > k :: e <= k -> goto look fi;
#elif defined(FORGET) && !defined(M_FLOOR_READ_FIRST)
	   if :: e > known :: e <= known -> goto look fi;          /* what forgets raises the floor first, so it is read last */
	   if :: e > floor :: e <= floor -> goto look fi;
#else
	   if :: e > floor :: e <= floor -> goto look fi;          /* Current: the stamp last */
	   if
	   :: e > known
	   :: e <= known ->
#ifdef PROBE_REFUSED
		assert(false);
#endif
		goto look
	   fi;
#endif
#ifdef M_LEASE_LAST
	   if :: age < LOST :: age >= LOST -> goto denied fi;
#endif
	   accept();
	   goto answered;
look:	   if
	   :: atomic { filling -> joined = 1; e = NONE }
	   :: goto denied
	   fi;
	   d_step { !joined -> e = brought; brought = NONE };
#ifdef M_JOINED_UNCHECKED
	   if :: e != NONE -> accept(); goto answered :: e == NONE fi;
#endif
#ifdef PROBE_JOINED
	   assert(e == NONE);
#endif
	   goto judge;                                             /* [17] */
denied:
#ifdef PROBE_DENIED
	   assert(late == 0);
#endif
	   skip;
answered: atomic { asking = 0; late = 0; e = NONE; k = 0 }
	od
}

init { atomic {
	run Feed(0);
#ifdef M_TWO_POLLS
	run Feed(1)
#endif
} }
