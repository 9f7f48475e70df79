"""Fields: what stands where in the tables that a compiled run reads.

One compiled program serves every network, because the network is data to it: a table with one row for each layer, one
row for each parameter, and a list of settings. This file names the columns. Floor 3 of the house.
"""

from __future__ import annotations

# Kinds of layers.
DENSE, DROPOUT, NOISE, LAYER_NORM, BATCH_NORM, SOFTMAX, SCALE, PERIODIC, CATEGORY = range(9)
BRANCH, SHORTCUT = range(9, 11)  # where a shortcut leaves, a row of its own; and where it adds
IDENTITY, RELU, LEAKY_RELU, EXPONENTIAL_UNIT, GELU, SILU, MISH, SIGMOID, TANH = range(11, 20)

# Columns of the table of layers: a row is a layer, places are those of its tile (one row of numbers a sample).
(
    KIND,  # which layer
    N_IN,  # inputs
    N_OUT,  # outputs
    PAD_IN,  # how far apart the rows of the inputs lie
    PAD_OUT,  # how far apart the rows of the outputs lie
    X,  # place of the inputs
    Y,  # place of the outputs; X, if the layer works in place
    DX,  # place of the derivative by the inputs; -1, if nobody asks for it
    DY,  # place of the derivative by the outputs
    WEIGHTS,  # place of the first parameter, weights or scale
    BIASES,  # place of the second parameter, biases or shift
    D_WEIGHTS,  # place of the gradients of both
    D_BIASES,
    TRANSPOSED,  # place of the transposed weights; -1, if nobody asks for them
    IS_TURNED,  # whether the weights lie transposed, as those of a layer with few outputs do
    KEPT,  # place of what backward reads: a mask, normalized values
    SCALES,  # place of one number a row (layer norm) or a unit (batch norm): 1 / standard deviation
    STATISTICS,  # place of running means; the variances follow PAD_OUT later
    UNITS,  # place of a row of ones, zeros where the padding begins; of embedded levels: which category each is of
    ITEM,  # index of the layer in the network, for random draws; where a shortcut leaves, the index of the shortcut
    IS_RECTIFIED,  # whether a rectifier that follows is computed along with it
    IS_GATED,  # whether the derivative of one that precedes is
    # Of embeddings:
    FIRST_COLUMN,  # of the inputs that are embedded
    COLUMNS_IN,  # how many those are
    EACH,  # outputs that each of them, or each category, becomes
    STRIDE,  # how far apart the rows of waves or of levels lie
    PHASES,  # places of further parameters
    PROJECTIONS,
    SHIFTS,
    SOURCE,  # place of the weights of which DropConnect leaves some, in WEIGHTS
    WEIGHT_MASK,  # place of which; -1 without DropConnect
    MASK_ROOM,  # room for the mask as it is drawn, if the weights lie transposed
    ADDED,  # of a shortcut: place of what it adds; where it leaves: place of the derivative that it brings back
    LAYER_FIELDS,
) = range(34)

# Columns of the numbers of a layer; what they mean depends on the kind.
FIRST, SECOND, LAYER_NUMBERS = range(3)

# Losses.
CROSS_ENTROPY, CATEGORICAL, SIGMOID_CROSS_ENTROPY, BINARY, SQUARED, ABSOLUTE, HUBER = range(7)

# Optimizers.
SGD, ADAGRAD, RMSPROP, ADAM = range(4)

# Averages of weights.
NO_AVERAGE, EMA, SWA, SNAPSHOTS = range(4)

# Columns of the table of parameters.
(
    PLACE,  # in theta
    SIZE,  # numbers, padding included
    ROWS,
    COLUMNS,
    PADDED,
    PADDED_ROWS,
    IS_MATRIX,  # else a row, each value a group by itself
    IS_TURNED_MATRIX,  # whether its rows are units, not inputs
    OWNER,  # which of the layers with parameters
    OWNED,  # numbers that the layer has, padding excluded
    IS_FIRST,  # whether it is the one whose norm is recorded
    PARAMETER_FIELDS,
) = range(12)

# Columns of the numbers of a parameter: strengths of what acts on each value by itself.
(
    L2,
    L1,  # as it adds to the loss: of subgradients and proximal steps together
    L1_SIGN,  # subgradients: factor of sign(w)
    L1_AT_ZERO,  # subgradients: the gradient where w is 0
    L1_PROXIMAL,
    IS_NON_NEGATIVE,
    ORTHOGONALITY,
    RATE_FACTOR,  # of the learning rate
    PARAMETER_NUMBERS,
) = range(9)

# Penalties over groups, in the order in which they are applied: columns, and kinds.
GROUP_PARAMETER, GROUP_KIND, GROUP_FIELDS = range(3)
BY_INPUT, BY_UNIT, MAX_NORM, BY_INPUT_SMOOTH, BY_UNIT_SMOOTH = range(5)

# Schedules: kinds, and columns of the table that nests them.
CONSTANT, INVERSE_TIME, COMPOUNDING, EXPONENTIAL, COSINE, WARM_UP, COSINE_RESTARTS, COSINE_LOG = range(8)

# Settings: whole numbers.
(
    N_ROWS,
    N_VALIDATION,
    BATCH_SIZE,
    TOTAL_EPOCHS,
    TILE_ROWS,
    SEED,
    LOSS,
    OPTIMIZER,
    AVERAGE_KIND,
    AVERAGE_FROM,  # epochs that SWA leaves out, or cycles that snapshots do
    OUTPUTS,
    PAD_OUTPUTS,
    INPUT_TILE,
    OUTPUT_TILE,
    QUIET_OUTPUT_TILE,  # the same with noise left out
    D_OUTPUT_TILE,
    THETA,
    THETA_SIZE,
    STATE_SIZE,  # theta and statistics
    GRADIENT,
    MOMENTUM,
    SQUARES,
    SIZES,  # step sizes, if penalties over groups need them; else -1
    BEFORE,  # the state before the epoch
    BEST,  # the state of the best epoch
    MEAN,  # of an average of weights
    LIVE,  # the state that training goes on from, while the average is shown
    ZEROS,
    SPARE,  # room for a strip, one a thread
    SPARE_SIZE,
    BLOCK_ROOM,  # room for a block of rows of outputs and targets, one a thread
    BLOCK_ROOM_SIZE,
    GROUP_ROOM,
    GROUP_ROOM_SIZE,  # of it for blocks of groups, one a thread
    EVALUATES_TRAINING,
    MONITOR,  # column of the history that early stopping watches; -1 for none
    MONITOR_RISES,
    PATIENCE,
    N_OWNERS,  # layers with parameters
    NEEDS_GRADIENT_FIRST,  # whether penalties must be in the gradient before the update: to clip, or as they mix values
    HAS_MIXING,  # whether some penalty looks at a whole matrix
    THREADS,
    MIXES_BY_CELL,  # whether rows are mixed cell by cell, not blended
    HERE,  # the state that an update starts from, while the gradient is taken uphill; -1 if it never is
    DROPS_WEIGHTS,  # whether some layer has DropConnect
    SNAPSHOT_RISE,  # updates of the warm-up before the first cycle
    SNAPSHOT_CYCLES,
    SETTINGS,
) = range(48)

# Options: real numbers.
(
    LR,
    BETA_1,  # momentum
    BETA_2,  # rho
    EPSILON,
    WEIGHT_DECAY,
    IS_NESTEROV,
    CLIP_NORM,  # 0 for none
    AVERAGE_DECAY,
    SMOOTHING,
    DELTA,
    MIN_DELTA,
    FADES_DECAY,  # whether weight decay fades
    SAM,  # how far uphill the gradient is taken; 0 for not at all
    OPTIONS,
) = range(14)

# Counters: whole numbers that a run changes.
(
    EPOCH,
    STEP,
    POSITION,  # rows of the epoch that are done
    RECORDED,  # rows of history written by this call
    BEST_EPOCH,
    WAITED,  # epochs since the best
    STATUS,
    AVERAGED,
    SHOWS_AVERAGE,
    COUNTERS,
) = range(10)
RUNNING, STOPPED_EARLY, NOT_FINITE_LOSS, NOT_FINITE_WEIGHTS = range(4)

# Sums: real numbers that a run changes. The penalties of each owner follow, then three sums for each output, for the
# coefficient of determination, then room for one number for each owner.
RATE, FIRST_RATE, DATA_LOSS, WEIGHT, HITS, BEST_VALUE, OWNERS = range(7)

# Columns of the history; (penalty, norm, zeros) of each owner follow.
H_LOSS, H_METRIC, H_EVALUATION, H_VALIDATION, H_VALIDATION_METRIC, H_VALIDATION_PENALTY, H_RATE, H_OWNERS = range(8)
