"""All actions of the shop; an action server and the bot's own process run the same ones."""

from rasa_sdk import Action

from actions.addresses import CompleteAddress, ReadAddressWish
from actions.advise import Advise, ReadWishes
from actions.base import Services, ShopAction
from actions.basket import AddItems
from actions.bundles import FindBundle
from actions.cart import AddToCart, ListCartLines, RemoveFromCart, RequestCheckout, ShowCart
from actions.cases import OpenCase
from actions.commits import CommitPlan
from actions.complaints import ListRemedies
from actions.delivery import DeliverTo, LoadHome
from actions.faq import AnswerQuestion, TryAnswer
from actions.feedback import Hear, IntroduceShop, RecordFeedback
from actions.follow_ups import CheckFollowUp, CheckNamed
from actions.identity import CheckCode, IdentifyCustomer, LogOut, ResendCode
from actions.lines import ListVariants, NotePieces, NoteSwap, PriceSwaps, SortChosen, SortLines
from actions.linking import JoinLink, OfferLink, PartChannel
from actions.methods import ListOtherMethods
from actions.options import NarrowOptions
from actions.orders import ListChoosableOrders, LoadOrder
from actions.overview import ListOrders, PickShownOrder
from actions.past_receipts import ShowReceipt
from actions.photos import CheckPhoto, SearchByPhoto
from actions.plans import Decide, MakePlan
from actions.products import AnswerProductQuestion, CheckStock, CompareProducts
from actions.recommend import ChooseRecommendation, Recommend
from actions.returns import CheckComplaint, RefundStatus
from actions.search import SearchProducts
from actions.targets import FindTarget, ListTargets, LoadProduct
from actions.tracking import TrackOrder

ACTIONS: tuple[type[ShopAction], ...] = (
    AddItems,
    AddToCart,
    Advise,
    AnswerProductQuestion,
    AnswerQuestion,
    CheckCode,
    CheckComplaint,
    CheckFollowUp,
    CheckNamed,
    CheckPhoto,
    CheckStock,
    ChooseRecommendation,
    CommitPlan,
    CompareProducts,
    CompleteAddress,
    Decide,
    DeliverTo,
    FindBundle,
    FindTarget,
    Hear,
    IdentifyCustomer,
    IntroduceShop,
    ListCartLines,
    ListChoosableOrders,
    ListOrders,
    ListOtherMethods,
    ListRemedies,
    ListTargets,
    ListVariants,
    LoadHome,
    LoadOrder,
    LoadProduct,
    LogOut,
    MakePlan,
    NarrowOptions,
    NotePieces,
    NoteSwap,
    JoinLink,
    OfferLink,
    OpenCase,
    PartChannel,
    PickShownOrder,
    PriceSwaps,
    ReadAddressWish,
    ReadWishes,
    Recommend,
    RecordFeedback,
    RefundStatus,
    RemoveFromCart,
    RequestCheckout,
    ResendCode,
    SearchByPhoto,
    SearchProducts,
    ShowCart,
    ShowReceipt,
    SortChosen,
    SortLines,
    TrackOrder,
    TryAnswer,
)


def build_actions(services: Services) -> list[Action]:
    """Return every action, ready to be registered with rasa-sdk's executor."""
    return [action(services) for action in ACTIONS]


def action_names() -> frozenset[str]:
    """Return the names flows may use."""
    return frozenset(action.action_name() for action in ACTIONS)
