package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/cachepact/cachepact/backend"
)

// A check is one property of a rule that the suite tests.
type check[K comparable, V any] struct {
	rule     string                       // id of the rule
	name     string                       // unique within the rule
	capacity int                          // Options.Capacity of the check's session
	skip     func(r *runner[K, V]) string // returns why the check does not apply, or ""
	run      func(p *probe[K, V])         // runs in a session of its own
	free     func(r *runner[K, V]) error  // runs instead of run, and opens its own sessions
}

func (c check[K, V]) id() string { return c.rule + "/" + c.name }

// checks returns all checks in the order in which they run. The order is that of the rules, except that the checks of
// stats and close come last, because some of them judge the whole run.
func checks[K comparable, V any]() []check[K, V] {
	return slices.Concat(
		hitChecks[K, V](), ttlChecks[K, V](), rangeChecks[K, V](), invalidateChecks[K, V](), concurrentChecks[K, V](),
		errorChecks[K, V](), statsChecks[K, V](), closeChecks[K, V](),
	)
}

func hitChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{
			rule: "hit/absent", name: "at-capacity", capacity: 50,
			skip: noExactBoundOrRejects[K, V], run: checkHitAbsentAtCapacity[K, V],
		},
		{rule: "hit/absent", name: "cold", run: checkHitAbsentCold[K, V]},
		{rule: "hit/absent", name: "sibling", run: checkHitAbsentSibling[K, V]},
		{rule: "hit/absent", name: "creates-nothing", run: checkHitAbsentCreatesNothing[K, V]},
		{rule: "hit/absent", name: "after-removal", run: checkHitAbsentAfterRemoval[K, V]},
		{
			rule: "hit/put", name: "at-capacity", capacity: 50,
			skip: noExactBoundOrRejects[K, V], run: checkHitPutAtCapacity[K, V],
		},
		{
			rule: "hit/put", name: "admitted-when-full", capacity: 50,
			skip: needsKeys[K, V](300), run: checkHitPutAdmittedWhenFull[K, V],
		},
		{
			rule: "hit/put", name: "room-after-removal", capacity: 50,
			skip: noExactBoundOrRejects[K, V], run: checkHitPutRoomAfterRemoval[K, V],
		},
		{
			rule: "hit/put", name: "room-after-removal-of-any", capacity: 50,
			skip: noExactBoundOrRejects[K, V], run: checkHitPutRoomAfterRemovalOfAny[K, V],
		},
		{
			rule: "hit/put", name: "room-after-expiry", capacity: 50,
			skip: noExactBoundOrRejects[K, V], run: checkHitPutRoomAfterExpiry[K, V],
		},
		{rule: "hit/put", name: "concurrent", skip: lossless[K, V], run: checkHitPutConcurrent[K, V]},
		{rule: "hit/put", name: "own-writes", run: checkHitPutOwnWrites[K, V]},
		{rule: "hit/put", name: "at-once", run: checkHitPutAtOnce[K, V]},
		{rule: "hit/put", name: "as-often-as-asked", run: checkHitPutAsOftenAsAsked[K, V]},
		{rule: "hit/put", name: "each-its-own", run: checkHitPutEachItsOwn[K, V]},
		{rule: "hit/put", name: "other-goroutine", run: checkHitPutOtherGoroutine[K, V]},
		{rule: "hit/put", name: "again-after-removal", run: checkHitPutAgainAfterRemoval[K, V]},
		{rule: "hit/put", name: "later", run: checkHitPutLater[K, V]},
		{rule: "hit/put", name: "after-garbage-collection", run: checkHitPutAfterGarbageCollection[K, V]},
		{rule: "hit/put", name: "refusal", skip: noRejection[K, V], run: checkHitPutRefusal[K, V]},
		{rule: "hit/put", name: "sync", skip: noSyncer[K, V], run: checkHitPutSync[K, V]},
		{rule: "hit/put", name: "all", skip: noRanger[K, V], run: checkHitPutAll[K, V]},
		{rule: "hit/put", name: "entry", skip: noEntries[K, V], run: checkHitPutEntry[K, V]},
		{rule: "hit/put", name: "batch", skip: noBatcher[K, V], run: checkHitPutBatch[K, V]},
		{rule: "hit/put", name: "batch-edges", skip: noBatcher[K, V], run: checkHitPutBatchEdges[K, V]},
		{
			rule: "hit/put", name: "all-while-others-write",
			skip: noRanger[K, V], run: checkHitPutAllWhileOthersWrite[K, V],
		},
		{
			rule: "hit/overwrite", name: "at-capacity", capacity: 50,
			skip: noExactBoundOrRejects[K, V], run: checkHitOverwriteAtCapacity[K, V],
		},
		{rule: "hit/overwrite", name: "sync", skip: noSync[K, V], run: checkHitOverwriteSync[K, V]},
		{rule: "hit/overwrite", name: "last-wins", run: checkHitOverwriteLastWins[K, V]},
		{rule: "hit/overwrite", name: "back-to-back", run: checkHitOverwriteBackToBack[K, V]},
		{rule: "hit/overwrite", name: "many-times", run: checkHitOverwriteManyTimes[K, V]},
		{rule: "hit/overwrite", name: "leaves-others", run: checkHitOverwriteLeavesOthers[K, V]},
		{rule: "hit/overwrite", name: "same-value", run: checkHitOverwriteSameValue[K, V]},
		{rule: "hit/overwrite", name: "odd-values", run: checkHitOverwriteOddValues[K, V]},
		{rule: "hit/overwrite", name: "after-a-miss", run: checkHitOverwriteAfterAMiss[K, V]},
		{rule: "hit/keys", name: "disjoint-writers", run: checkHitKeysDisjointWriters[K, V]},
		{rule: "hit/keys", name: "zero", run: checkHitKeysZero[K, V]},
		{rule: "hit/keys", name: "odd", run: checkHitKeysOdd[K, V]},
		{rule: "hit/keys", name: "odd-absent", run: checkHitKeysOddAbsent[K, V]},
		{rule: "hit/keys", name: "odd-pairs", run: checkHitKeysOddPairs[K, V]},
		{rule: "hit/keys", name: "longest", skip: noLongestKey[K, V], run: checkHitKeysLongest[K, V]},
		{
			rule: "hit/keys", name: "birthday", capacity: birthday,
			skip: noManyDefaultKeys[K, V], run: checkHitKeysBirthday[K, V],
		},
		{rule: "hit/keys", name: "pointers", skip: noPointerKeys[K, V], run: checkHitKeysPointers[K, V]},
		{rule: "hit/keys", name: "signed-zero", skip: noFloatKeys[K, V], run: checkHitKeysSignedZero[K, V]},
		{rule: "hit/keys", name: "all", skip: noRanger[K, V], run: checkHitKeysAll[K, V]},
		{rule: "hit/values", name: "zero", run: checkHitValuesZero[K, V]},
		{rule: "hit/values", name: "odd", run: checkHitValuesOdd[K, V]},
		{rule: "hit/values", name: "one-by-one", run: checkHitValuesOneByOne[K, V]},
		{rule: "hit/values", name: "mutate-after-put", skip: noSharing[K, V], run: checkHitValuesMutateAfterPut[K, V]},
		{rule: "hit/values", name: "mutate-after-get", skip: noSharing[K, V], run: checkHitValuesMutateAfterGet[K, V]},
		{rule: "hit/values", name: "put-only-reads", skip: noSlices[K, V], run: checkHitValuesPutOnlyReads[K, V]},
		{
			rule: "hit/values", name: "append-after-get",
			skip: noCopiedSlices[K, V], run: checkHitValuesAppendAfterGet[K, V],
		},
		{rule: "hit/values", name: "held-value", run: checkHitValuesHeldValue[K, V]},
		{rule: "hit/values", name: "all", skip: noRanger[K, V], run: checkHitValuesAll[K, V]},
		{rule: "hit/isolation", name: "two-backends", run: checkHitIsolationTwoBackends[K, V]},
		{rule: "hit/isolation", name: "invalidate-all", run: checkHitIsolationInvalidateAll[K, V]},
		{rule: "hit/isolation", name: "close", skip: noCloser[K, V], run: checkHitIsolationClose[K, V]},
	}
}

func ttlChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{rule: "ttl/none", name: "beside-others", run: checkTTLNoneBesideOthers[K, V]},
		{rule: "ttl/none", name: "for-long", run: checkTTLNoneForLong[K, V]},
		{rule: "ttl/none", name: "unread", run: checkTTLNoneUnread[K, V]},
		{rule: "ttl/expires", name: "after", run: checkTTLExpiresAfter[K, V]},
		{rule: "ttl/expires", name: "unread", run: checkTTLExpiresUnread[K, V]},
		{rule: "ttl/expires", name: "each-its-own", run: checkTTLExpiresEachItsOwn[K, V]},
		{rule: "ttl/expires", name: "many", run: checkTTLExpiresMany[K, V]},
		{rule: "ttl/expires", name: "put-again", run: checkTTLExpiresPutAgain[K, V]},
		{rule: "ttl/expires", name: "put-over-the-dead", run: checkTTLExpiresPutOverTheDead[K, V]},
		{rule: "ttl/expires", name: "all", skip: noRanger[K, V], run: checkTTLExpiresAll[K, V]},
		{rule: "ttl/expires", name: "entry", skip: noEntries[K, V], run: checkTTLExpiresEntry[K, V]},
		{rule: "ttl/notearly", name: "until-the-end", run: checkTTLNotearlyUntilTheEnd[K, V]},
		{rule: "ttl/notearly", name: "unread-among-others", run: checkTTLNotearlyUnreadAmongOthers[K, V]},
		{rule: "ttl/notearly", name: "any-offset", run: checkTTLNotearlyAnyOffset[K, V]},
		{
			rule: "ttl/zero", name: "at-capacity", capacity: 50,
			skip: noExactBoundOrRejects[K, V], run: checkTTLZeroAtCapacity[K, V],
		},
		{rule: "ttl/zero", name: "sync", skip: noSync[K, V], run: checkTTLZeroSync[K, V]},
		{rule: "ttl/zero", name: "stores-nothing", run: checkTTLZeroStoresNothing[K, V]},
		{rule: "ttl/zero", name: "removes", run: checkTTLZeroRemoves[K, V]},
		{rule: "ttl/zero", name: "then-put", run: checkTTLZeroThenPut[K, V]},
		{
			rule: "ttl/overwrite", name: "forgotten-by-eviction", capacity: 20,
			skip: noExactBoundOrRejects[K, V], run: checkTTLOverwriteForgottenByEviction[K, V],
		},
		{rule: "ttl/overwrite", name: "refresh-races-get", run: checkTTLOverwriteRefreshRacesGet[K, V]},
		{rule: "ttl/overwrite", name: "refresh-races-stats", run: checkTTLOverwriteRefreshRacesStats[K, V]},
		{
			rule: "ttl/overwrite", name: "refresh-races-sweep",
			skip: noFakeSweep[K, V], run: checkTTLOverwriteRefreshRacesSweep[K, V],
		},
		{rule: "ttl/overwrite", name: "two-puts-meet", skip: noFakeHour[K, V], run: checkTTLOverwriteTwoPutsMeet[K, V]},
		{rule: "ttl/overwrite", name: "extends", run: checkTTLOverwriteExtends[K, V]},
		{rule: "ttl/overwrite", name: "shortens", run: checkTTLOverwriteShortens[K, V]},
		{rule: "ttl/overwrite", name: "adds", run: checkTTLOverwriteAdds[K, V]},
		{rule: "ttl/overwrite", name: "removes", run: checkTTLOverwriteRemoves[K, V]},
		{rule: "ttl/overwrite", name: "same-ttl-restarts", run: checkTTLOverwriteSameTTLRestarts[K, V]},
		{rule: "ttl/overwrite", name: "same-value", run: checkTTLOverwriteSameValue[K, V]},
		{rule: "ttl/overwrite", name: "get-does-not-extend", run: checkTTLOverwriteGetDoesNotExtend[K, V]},
		{rule: "ttl/overwrite", name: "views-do-not-extend", run: checkTTLOverwriteViewsDoNotExtend[K, V]},
		{rule: "ttl/overwrite", name: "forgotten-by-invalidate", run: checkTTLOverwriteForgottenByInvalidate[K, V]},
		{
			rule: "ttl/overwrite", name: "forgotten-by-invalidate-all",
			run: checkTTLOverwriteForgottenByInvalidateAll[K, V],
		},
		{rule: "ttl/overwrite", name: "forgotten-by-zero", run: checkTTLOverwriteForgottenByZero[K, V]},
		{rule: "ttl/overwrite", name: "sweep-spares-refreshed", run: checkTTLOverwriteSweepSparesRefreshed[K, V]},
	}
}

func rangeChecks[K comparable, V any]() []check[K, V] {
	var all []check[K, V]
	for _, x := range rangeTTLs {
		all = append(all, check[K, V]{
			rule: "ttl/range", name: x.name, run: func(p *probe[K, V]) { checkTTLRangeKeeps(p, x.ttl) },
		})
	}
	return append(all, []check[K, V]{
		{rule: "ttl/range", name: "beside-each-other", run: checkTTLRangeBesideEachOther[K, V]},
		{rule: "ttl/range", name: "deadline", skip: noEntries[K, V], run: checkTTLRangeDeadline[K, V]},
	}...)
}

func invalidateChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{
			rule: "invalidate/key", name: "at-capacity", capacity: 50,
			skip: noExactBoundOrRejects[K, V], run: checkInvalidateKeyAtCapacity[K, V],
		},
		{rule: "invalidate/key", name: "sync", skip: noSync[K, V], run: checkInvalidateKeySync[K, V]},
		{rule: "invalidate/key", name: "at-once", run: checkInvalidateKeyAtOnce[K, V]},
		{rule: "invalidate/key", name: "no-other", run: checkInvalidateKeyNoOther[K, V]},
		{rule: "invalidate/key", name: "odd", run: checkInvalidateKeyOdd[K, V]},
		{rule: "invalidate/key", name: "absent", run: checkInvalidateKeyAbsent[K, V]},
		{rule: "invalidate/key", name: "twice", run: checkInvalidateKeyTwice[K, V]},
		{rule: "invalidate/key", name: "with-ttl", run: checkInvalidateKeyWithTTL[K, V]},
		{rule: "invalidate/key", name: "after-overwrites", run: checkInvalidateKeyAfterOverwrites[K, V]},
		{rule: "invalidate/key", name: "put-between", run: checkInvalidateKeyPutBetween[K, V]},
		{rule: "invalidate/key", name: "each-put-again", run: checkInvalidateKeyEachPutAgain[K, V]},
		{
			rule: "invalidate/nil", name: "bound-stays", capacity: 50,
			skip: noExactBound[K, V], run: checkInvalidateNilBoundStays[K, V],
		},
		{rule: "invalidate/nil", name: "concurrent", skip: lossless[K, V], run: checkInvalidateNilConcurrent[K, V]},
		{rule: "invalidate/nil", name: "sync", skip: noSync[K, V], run: checkInvalidateNilSync[K, V]},
		{rule: "invalidate/nil", name: "empty", run: checkInvalidateNilEmpty[K, V]},
		{rule: "invalidate/nil", name: "all", run: checkInvalidateNilAll[K, V]},
		{rule: "invalidate/nil", name: "many", run: checkInvalidateNilMany[K, V]},
		{rule: "invalidate/nil", name: "odd", run: checkInvalidateNilOdd[K, V]},
		{rule: "invalidate/nil", name: "at-once", run: checkInvalidateNilAtOnce[K, V]},
		{rule: "invalidate/nil", name: "many-times", run: checkInvalidateNilManyTimes[K, V]},
		{rule: "invalidate/nil", name: "usable-after", run: checkInvalidateNilUsableAfter[K, V]},
		{
			rule: "invalidate/nil", name: "full-capacity-after", capacity: 50,
			run: checkInvalidateNilFullCapacityAfter[K, V],
		},
		{rule: "invalidate/nil", name: "nothing-returns", run: checkInvalidateNilNothingReturns[K, V]},
		{rule: "invalidate/zerokey", name: "only-that", run: checkInvalidateZerokeyOnlyThat[K, V]},
		{rule: "invalidate/zerokey", name: "absent", run: checkInvalidateZerokeyAbsent[K, V]},
		{
			rule: "invalidate/zerokey", name: "nil-valued",
			skip: noNilKeys[K, V], run: checkInvalidateZerokeyNilValued[K, V],
		},
	}
}

func concurrentChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{rule: "concurrent/key", name: "register", run: checkConcurrentKeyRegister[K, V]},
		{rule: "concurrent/key", name: "overwrites", run: checkConcurrentKeyOverwrites[K, V]},
		{rule: "concurrent/key", name: "with-stats", run: checkConcurrentKeyWithStats[K, V]},
		{rule: "concurrent/key", name: "lifetimes", run: checkConcurrentKeyLifetimes[K, V]},
		{rule: "concurrent/key", name: "views", skip: noViews[K, V], run: checkConcurrentKeyViews[K, V]},
		{rule: "concurrent/key", name: "random-sequence", free: checkConcurrentKeyRandomSequence[K, V]},
		{rule: "concurrent/nil", name: "register", run: checkConcurrentNilRegister[K, V]},
		{rule: "concurrent/nil", name: "barrier", run: checkConcurrentNilBarrier[K, V]},
		{rule: "concurrent/race", name: "everything", run: checkConcurrentRaceEverything[K, V]},
		{rule: "concurrent/race", name: "close", skip: noCloser[K, V], free: checkConcurrentRaceClose[K, V]},
	}
}

func errorChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{rule: "error/key", name: "every-method", skip: noBadKeys[K, V], run: checkErrorKeyEveryMethod[K, V]},
		{rule: "error/key", name: "no-lock-held", skip: noBadKeys[K, V], run: checkErrorKeyNoLockHeld[K, V]},
		{rule: "error/key", name: "no-leak", skip: noBadKeys[K, V], run: checkErrorKeyNoLeak[K, V]},
		{rule: "error/key", name: "batch", skip: noBatchOfBadKeys[K, V], run: checkErrorKeyBatch[K, V]},
		{rule: "error/put", name: "too-large", skip: noLargestValue[K, V], run: checkErrorPutTooLarge[K, V]},
		{rule: "error/put", name: "others-survive", skip: noLargestValue[K, V], run: checkErrorPutOthersSurvive[K, V]},
		{rule: "error/put", name: "large-never-stale", run: checkErrorPutLargeNeverStale[K, V]},
		{
			rule: "error/put", name: "longest-with-largest",
			skip: noLongestKeyOrLargestValue[K, V], run: checkErrorPutLongestWithLargest[K, V],
		},
		{rule: "error/put", name: "too-long-key", skip: noLongestKey[K, V], run: checkErrorPutTooLongKey[K, V]},
		{rule: "error/text", name: "no-key-no-value", run: checkErrorTextNoKeyNoValue[K, V]},
		{rule: "error/text", name: "starts-with-package", run: checkErrorTextStartsWithPackage[K, V]},
		{rule: "error/text", name: "wraps", run: checkErrorTextWraps[K, V]},
		{rule: "ctx/done", name: "before-the-call", run: checkCtxDoneBeforeTheCall[K, V]},
		{rule: "ctx/done", name: "after-the-call", run: checkCtxDoneAfterTheCall[K, V]},
		{rule: "ctx/done", name: "during-the-call", run: checkCtxDoneDuringTheCall[K, V]},
		{rule: "ctx/done", name: "other-values", run: checkCtxDoneOtherValues[K, V]},
		{rule: "retain", name: "ttl", run: checkRetainTTL[K, V]},
		{rule: "retain", name: "ttl-unchanged", run: checkRetainTTLUnchanged[K, V]},
		{rule: "retain", name: "batch", skip: noBatcher[K, V], run: checkRetainBatch[K, V]},
		{rule: "retain", name: "key", run: checkRetainKey[K, V]},
	}
}

func statsChecks[K comparable, V any]() []check[K, V] {
	uncounted := noCounters[K, V](backend.CounterHits, backend.CounterMisses)
	return []check[K, V]{
		{
			rule: "stats/size", name: "capacity-1", capacity: 1,
			skip: needsKeys[K, V](3), run: checkStatsSizeCapacity[K, V],
		},
		{
			rule: "stats/size", name: "capacity-2", capacity: 2,
			skip: needsKeys[K, V](6), run: checkStatsSizeCapacity[K, V],
		},
		{
			rule: "stats/size", name: "capacity-10", capacity: 10,
			skip: needsKeys[K, V](30), run: checkStatsSizeCapacity[K, V],
		},
		{
			rule: "stats/size", name: "capacity-100", capacity: 100,
			skip: needsKeys[K, V](300), run: checkStatsSizeCapacity[K, V],
		},
		{
			rule: "stats/size", name: "capacity-1000", capacity: 1000,
			skip: needsKeys[K, V](3000), run: checkStatsSizeCapacity[K, V],
		},
		{
			rule: "stats/size", name: "capacity-settles", capacity: 50,
			skip: noExactBound[K, V], run: checkStatsSizeCapacitySettles[K, V],
		},
		{
			rule: "stats/size", name: "capacity-concurrent", capacity: 20,
			skip: noExactBound[K, V], run: checkStatsSizeCapacityConcurrent[K, V],
		},
		{rule: "stats/size", name: "churn", capacity: 100, skip: noExactBound[K, V], run: checkStatsSizeChurn[K, V]},
		{
			rule: "stats/size", name: "random-sequence",
			skip: noExactSize[K, V], free: checkStatsSizeRandomSequence[K, V],
		},
		{rule: "stats/size", name: "new", run: checkStatsSizeNew[K, V]},
		{rule: "stats/size", name: "one-each", run: checkStatsSizeOneEach[K, V]},
		{rule: "stats/size", name: "overwrite", run: checkStatsSizeOverwrite[K, V]},
		{rule: "stats/size", name: "get", run: checkStatsSizeGet[K, V]},
		{rule: "stats/size", name: "invalidate", run: checkStatsSizeInvalidate[K, V]},
		{rule: "stats/size", name: "invalidate-with-ttl", run: checkStatsSizeInvalidateWithTTL[K, V]},
		{rule: "stats/size", name: "expired", run: checkStatsSizeExpired[K, V]},
		{rule: "stats/size", name: "expired-in-turn", run: checkStatsSizeExpiredInTurn[K, V]},
		{rule: "stats/size", name: "expired-then-changed", run: checkStatsSizeExpiredThenChanged[K, V]},
		{rule: "stats/size", name: "zero-ttl", run: checkStatsSizeZeroTTL[K, V]},
		{rule: "stats/size", name: "no-side-effect", run: checkStatsSizeNoSideEffect[K, V]},
		{rule: "stats/size", name: "throughout", free: checkStatsSizeThroughout[K, V]},
		{rule: "stats/counters", name: "hits-and-misses", skip: uncounted, run: checkStatsCountersHitsAndMisses[K, V]},
		{rule: "stats/counters", name: "clear-keeps", skip: uncounted, run: checkStatsCountersClearKeeps[K, V]},
		{
			rule: "stats/counters", name: "evictions", capacity: 10,
			skip: noExactEvictions[K, V], run: checkStatsCountersEvictions[K, V],
		},
		{
			rule: "stats/counters", name: "when-full", capacity: 10,
			skip: uncounted, run: checkStatsCountersWhenFull[K, V],
		},
		{
			rule: "stats/counters", name: "expirations",
			skip: noCounters[K, V](backend.CounterExpirations), run: checkStatsCountersExpirations[K, V],
		},
		{rule: "stats/counters", name: "monotone", skip: noCounters[K, V](), run: checkStatsCountersMonotone[K, V]},
		{rule: "stats/counters", name: "load", skip: uncounted, run: checkStatsCountersLoad[K, V]},
	}
}

func closeChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{rule: "close/idempotent", name: "twice", skip: noCloser[K, V], run: checkCloseIdempotentTwice[K, V]},
		{rule: "close/idempotent", name: "unused", skip: noCloser[K, V], run: checkCloseIdempotentUnused[K, V]},
		{
			rule: "close/idempotent", name: "concurrent",
			skip: noCloser[K, V], free: checkCloseIdempotentConcurrent[K, V],
		},
		{rule: "close/idempotent", name: "often", skip: noCloser[K, V], run: checkCloseIdempotentOften[K, V]},
		{
			rule: "close/idempotent", name: "with-pending-work",
			skip: noCloser[K, V], run: checkCloseIdempotentWithPendingWork[K, V],
		},
		{
			rule: "close/idempotent", name: "ended-when-it-returns",
			skip: noCloser[K, V], free: checkCloseIdempotentEndedWhenItReturns[K, V],
		},
		{rule: "close/idempotent", name: "no-goroutine-left", free: checkCloseIdempotentNoGoroutineLeft[K, V]},
		{rule: "close/after", name: "every-method", skip: noCloser[K, V], run: checkCloseAfterEveryMethod[K, V]},
		{rule: "close/after", name: "unsettled", skip: noCloser[K, V], run: checkCloseAfterUnsettled[K, V]},
		{rule: "close/after", name: "empty", skip: noCloser[K, V], run: checkCloseAfterEmpty[K, V]},
	}
}

// checks returns the checks that the subject asks for.
func (r *runner[K, V]) checks() []check[K, V] {
	all := checks[K, V]()
	if len(r.subject.Only) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(c check[K, V]) bool {
		return !slices.ContainsFunc(r.subject.Only, c.under)
	})
}

// under reports whether name is the id of c, of its rule or of its group.
func (c check[K, V]) under(name string) bool {
	return strings.HasPrefix(c.id()+"/", name+"/")
}

// runGroups runs checks as nested subtests, one level for each part of their ids. "go test -run" can select any level.
func runGroups[K comparable, V any](t *testing.T, r *runner[K, V], cs []check[K, V], depth int) {
	t.Helper()
	part := func(c check[K, V]) string { return strings.Split(c.id(), "/")[depth] }
	for len(cs) > 0 {
		n := 1
		for n < len(cs) && part(cs[n]) == part(cs[0]) {
			n++
		}
		group := cs[:n]
		cs = cs[n:]
		t.Run(part(group[0]), func(t *testing.T) {
			t.Helper()
			if strings.Count(group[0].id(), "/") == depth {
				r.do(t, group[0])
			} else {
				runGroups(t, r, group, depth+1)
			}
		})
	}
}

// The functions below return why a check does not apply, or "".

func noCloser[K comparable, V any](r *runner[K, V]) string {
	if !r.has.closer {
		return "the backend has no Close"
	}
	return ""
}

func noSharing[K comparable, V any](r *runner[K, V]) string {
	v := r.values.At(1)
	if !r.values.Mutate(&v) {
		return "values of this type do not refer to memory that could be shared"
	}
	return ""
}

// needsKeys skips a check if the key type has fewer than n keys.
func needsKeys[K comparable, V any](n int) func(r *runner[K, V]) string {
	return func(r *runner[K, V]) string {
		if r.keys.N < n {
			return "the type has too few keys"
		}
		return ""
	}
}

func noExactBound[K comparable, V any](r *runner[K, V]) string {
	if r.traits.Bound != backend.BoundExact {
		return "the backend does not declare an exact bound"
	}
	return needsKeys[K, V](300)(r)
}

func noExactBoundOrRejects[K comparable, V any](r *runner[K, V]) string {
	if r.traits.Rejects {
		return "the backend may reject entries"
	}
	return noExactBound(r)
}

// ruleRank returns the place of a rule in the contract.
func ruleRank(id string) int {
	return slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
}
